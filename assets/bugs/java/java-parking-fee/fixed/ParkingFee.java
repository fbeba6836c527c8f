/** Fees of a car park that charges started hours. */
public class ParkingFee {
    private final int centsPerHour;
    private final int dailyMaximum;

    public ParkingFee(int centsPerHour, int dailyMaximum) {
        this.centsPerHour = centsPerHour;
        this.dailyMaximum = dailyMaximum;
    }

    /** Fee in cents; the first ten minutes are free. */
    public int feeFor(int minutes) {
        if (minutes <= 10) {
            return 0;
        }
        int days = minutes / 1440;
        int rest = minutes % 1440;
        int hours = (rest + 59) / 60;
        return days * dailyMaximum + Math.min(hours * centsPerHour, dailyMaximum);
    }
}
