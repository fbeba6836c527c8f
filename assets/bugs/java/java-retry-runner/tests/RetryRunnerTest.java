import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public class RetryRunnerTest {
    private int calls;

    private boolean succeedAt(int call) {
        calls++;
        return calls == call;
    }

    private boolean neverSucceed() {
        calls++;
        return false;
    }

    @Test
    public void succeedsAtOnce() {
        assertTrue(new RetryRunner(3).run(() -> succeedAt(1)));
        assertEquals(1, calls);
    }

    @Test
    public void succeedsAtTheLastAttempt() {
        assertTrue(new RetryRunner(3).run(() -> succeedAt(3)));
        assertEquals(3, calls);
    }

    @Test
    public void givesUp() {
        assertFalse(new RetryRunner(3).run(this::neverSucceed));
        assertEquals(3, calls);
    }

    @Test(expected = IllegalArgumentException.class)
    public void needsOneAttempt() {
        new RetryRunner(0);
    }
}
