import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class ContactLabelTest {
    @Test
    public void nameAndCompany() {
        assertEquals("Ada Byron (Engines Ltd)", ContactLabel.of(" Ada Byron", "Engines Ltd "));
    }

    @Test
    public void blankCompany() {
        assertEquals("Ada", ContactLabel.of("Ada", "  "));
    }

    @Test
    public void noCompany() {
        assertEquals("Ada", ContactLabel.of("Ada", null));
    }

    @Test
    public void noName() {
        assertEquals("(unknown)", ContactLabel.of(null, "Engines Ltd"));
        assertEquals("(unknown)", ContactLabel.of(" ", null));
    }
}
