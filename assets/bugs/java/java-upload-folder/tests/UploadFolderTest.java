import static org.junit.Assert.assertEquals;

import java.nio.file.Paths;
import org.junit.Test;

public class UploadFolderTest {
    private final UploadFolder folder = new UploadFolder("/srv/up/");

    @Test
    public void plainName() {
        assertEquals(Paths.get("/srv/up/a.txt"), folder.place("a.txt"));
    }

    @Test
    public void dotsInside() {
        assertEquals("/srv/up/b.txt", folder.place("x/../b.txt").toString());
    }

    @Test(expected = IllegalArgumentException.class)
    public void parentIsRefused() {
        folder.place("../secret");
    }

    @Test(expected = IllegalArgumentException.class)
    public void deepParentIsRefused() {
        folder.place("x/../../up2/a.txt");
    }

    @Test(expected = IllegalArgumentException.class)
    public void absolutePathIsRefused() {
        folder.place("/etc/passwd");
    }

    @Test(expected = IllegalArgumentException.class)
    public void folderItselfIsRefused() {
        folder.place("x/..");
    }
}
