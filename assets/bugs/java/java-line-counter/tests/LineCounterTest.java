import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.io.StringReader;
import org.junit.Test;

public class LineCounterTest {
    private static class Source extends StringReader {
        private boolean closed;
        private final boolean unreadable;

        Source(String text, boolean unreadable) {
            super(text);
            this.unreadable = unreadable;
        }

        @Override
        public int read(char[] buffer, int offset, int length) throws IOException {
            if (unreadable) {
                throw new IOException("disk error");
            }
            return super.read(buffer, offset, length);
        }

        @Override
        public void close() {
            closed = true;
            super.close();
        }
    }

    @Test
    public void countsLines() {
        assertEquals(3, LineCounter.count(new StringReader("a\nb\n\n  \nc")));
    }

    @Test
    public void emptyText() {
        assertEquals(0, LineCounter.count(new StringReader("")));
    }

    @Test
    public void sourceIsClosed() {
        Source source = new Source("a\nb\n", false);
        assertEquals(2, LineCounter.count(source));
        assertTrue(source.closed);
    }

    @Test
    public void unreadableSource() {
        assertEquals(-1, LineCounter.count(new Source("a", true)));
    }

    @Test
    public void unreadableSourceIsClosed() {
        Source source = new Source("a", true);
        LineCounter.count(source);
        assertTrue(source.closed);
    }
}
