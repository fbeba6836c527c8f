/** A small set of numbered flags, 0 to 31. */
public class FlagSet {
    private int bits;

    private static int mask(int flag) {
        if (flag < 0 || flag > 31) {
            throw new IllegalArgumentException("no such flag: " + flag);
        }
        return 1 << flag;
    }

    public void add(int flag) {
        bits |= mask(flag);
    }

    public void remove(int flag) {
        bits &= ~mask(flag);
    }

    public boolean has(int flag) {
        return (bits & mask(flag)) != 0;
    }

    public int size() {
        return Integer.bitCount(bits);
    }
}
