/** Averages whole-number sensor readings. */
public final class SensorMean {
    private SensorMean() {
    }

    /** Mean of the readings within limits, rounded down; 0 where there are none. */
    public static int meanWithin(int[] readings, int low, int high) {
        int sum = 0;
        int count = 0;
        for (int reading : readings) {
            if (reading >= low && reading <= high) {
                sum += reading;
                count++;
            }
        }
        return count == 0 ? 0 : sum / count;
    }
}
