import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;

/** Counts the lines of a text that are not blank. */
public final class LineCounter {
    private LineCounter() {
    }

    /** The number of lines that are not blank, or -1 if the source cannot be read; closes the source. */
    public static int count(Reader source) {
        int lines = 0;
        try {
            BufferedReader reader = new BufferedReader(source);
            String line = reader.readLine();
            while (line != null) {
                if (!line.trim().isEmpty()) {
                    lines++;
                }
                line = reader.readLine();
            }
        } catch (IOException e) {
            return -1;
        }
        return lines;
    }
}
