import java.nio.file.Path;
import java.nio.file.Paths;

/** Gives uploaded files their place below one folder. */
public class UploadFolder {
    private final Path root;

    public UploadFolder(String root) {
        this.root = Paths.get(root).normalize();
    }

    /** The path of an uploaded file; it must lie below the folder. */
    public Path place(String name) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("empty name");
        }
        Path path = root.resolve(name).normalize();
        if (!path.startsWith(root) || path.equals(root)) {
            throw new IllegalArgumentException("outside of the folder: " + name);
        }
        return path;
    }
}
