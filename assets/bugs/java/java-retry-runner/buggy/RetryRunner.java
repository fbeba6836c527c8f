import java.util.function.BooleanSupplier;

/** Runs a task again until it succeeds. */
public class RetryRunner {
    private final int maxAttempts;

    public RetryRunner(int maxAttempts) {
        if (maxAttempts < 1) {
            throw new IllegalArgumentException("at least one attempt");
        }
        this.maxAttempts = maxAttempts;
    }

    /** Whether the task succeeded within the allowed attempts. */
    public boolean run(BooleanSupplier task) {
        int attempt = 0;
        while (attempt < maxAttempts) {
            if (task.getAsBoolean()) {
                return true;
            }
        }
        return false;
    }
}
