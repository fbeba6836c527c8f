import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class PriceQuoteTest {
    private final PriceQuote quotes = new PriceQuote(500, 2000);

    @Test
    public void betweenTheBounds() {
        assertEquals(1100, quotes.quote(1000, 10));
    }

    @Test
    public void lowerBound() {
        assertEquals(500, quotes.quote(100, 5));
    }

    @Test
    public void upperBound() {
        assertEquals(2000, quotes.quote(1900, 50));
        assertEquals(2000, quotes.quote(9000, 0));
    }

    @Test
    public void atTheBounds() {
        assertEquals(500, quotes.quote(500, 0));
        assertEquals(2000, quotes.quote(2000, 0));
    }

    @Test
    public void negativeSurcharge() {
        assertEquals(750, quotes.quote(1000, -25));
    }
}
