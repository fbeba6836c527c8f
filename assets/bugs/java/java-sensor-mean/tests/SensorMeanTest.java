import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class SensorMeanTest {
    @Test
    public void meanOfAll() {
        assertEquals(20, SensorMean.meanWithin(new int[] {10, 20, 30}, 0, 100));
    }

    @Test
    public void limitsAreInclusive() {
        assertEquals(6, SensorMean.meanWithin(new int[] {2, 5, 8, 9, 1}, 5, 8));
    }

    @Test
    public void noReadings() {
        assertEquals(0, SensorMean.meanWithin(new int[0], 0, 100));
    }

    @Test
    public void noReadingWithinLimits() {
        assertEquals(0, SensorMean.meanWithin(new int[] {-5, 500}, 0, 100));
    }

    @Test
    public void singleReading() {
        assertEquals(42, SensorMean.meanWithin(new int[] {42}, 0, 100));
    }
}
