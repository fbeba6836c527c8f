/** Quotes prices with a surcharge, held between two bounds. */
public class PriceQuote {
    private final int lowest;
    private final int highest;

    public PriceQuote(int lowest, int highest) {
        this.lowest = lowest;
        this.highest = highest;
    }

    static int clamp(int value, int low, int high) {
        return Math.max(low, Math.min(value, high));
    }

    /** The price in cents with a surcharge in percent. */
    public int quote(int base, int percent) {
        int price = base + base * percent / 100;
        return clamp(lowest, price, highest);
    }
}
