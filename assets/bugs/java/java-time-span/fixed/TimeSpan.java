/** Converts lengths of time to milliseconds. */
public final class TimeSpan {
    private TimeSpan() {
    }

    public static long toMillis(int hours, int minutes, int seconds) {
        if (hours < 0 || minutes < 0 || seconds < 0) {
            throw new IllegalArgumentException("negative part");
        }
        long millis = hours * 3_600_000L;
        millis += minutes * 60_000L;
        millis += seconds * 1_000L;
        return millis;
    }
}
