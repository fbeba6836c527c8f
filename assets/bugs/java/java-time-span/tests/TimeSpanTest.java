import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class TimeSpanTest {
    @Test
    public void shortSpan() {
        assertEquals(3_723_000L, TimeSpan.toMillis(1, 2, 3));
    }

    @Test
    public void zero() {
        assertEquals(0L, TimeSpan.toMillis(0, 0, 0));
    }

    @Test
    public void longSpanOfHours() {
        assertEquals(3_600_000_000L, TimeSpan.toMillis(1000, 0, 0));
    }

    @Test
    public void longSpanOfMinutes() {
        assertEquals(6_000_000_000L, TimeSpan.toMillis(0, 100_000, 0));
    }

    @Test(expected = IllegalArgumentException.class)
    public void negativePart() {
        TimeSpan.toMillis(1, -1, 0);
    }
}
