import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public class FlagSetTest {
    @Test
    public void addsFlags() {
        FlagSet flags = new FlagSet();
        flags.add(3);
        flags.add(31);
        flags.add(3);
        assertTrue(flags.has(3));
        assertTrue(flags.has(31));
        assertEquals(2, flags.size());
    }

    @Test
    public void removesFlag() {
        FlagSet flags = new FlagSet();
        flags.add(1);
        flags.add(2);
        flags.remove(1);
        assertFalse(flags.has(1));
        assertTrue(flags.has(2));
    }

    @Test
    public void removingTwiceKeepsItOff() {
        FlagSet flags = new FlagSet();
        flags.add(5);
        flags.remove(5);
        flags.remove(5);
        assertFalse(flags.has(5));
    }

    @Test
    public void removingUnknownFlag() {
        FlagSet flags = new FlagSet();
        flags.add(0);
        flags.remove(7);
        assertEquals(1, flags.size());
        assertTrue(flags.has(0));
    }

    @Test(expected = IllegalArgumentException.class)
    public void flagIsChecked() {
        new FlagSet().has(32);
    }
}
