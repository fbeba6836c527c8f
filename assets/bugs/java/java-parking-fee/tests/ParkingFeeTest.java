import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class ParkingFeeTest {
    private final ParkingFee fee = new ParkingFee(200, 1500);

    @Test
    public void firstMinutesAreFree() {
        assertEquals(0, fee.feeFor(10));
    }

    @Test
    public void startedHourIsCharged() {
        assertEquals(200, fee.feeFor(11));
        assertEquals(600, fee.feeFor(121));
    }

    @Test
    public void fullHoursAreExact() {
        assertEquals(200, fee.feeFor(60));
        assertEquals(600, fee.feeFor(180));
    }

    @Test
    public void dailyMaximum() {
        assertEquals(1500, fee.feeFor(900));
    }

    @Test
    public void severalDays() {
        assertEquals(3000, fee.feeFor(2880));
        assertEquals(3200, fee.feeFor(2881));
    }
}
