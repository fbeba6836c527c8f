package judge;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.runner.JUnitCore;
import org.junit.runner.Runner;
import org.junit.runners.BlockJUnit4ClassRunner;
import org.junit.runners.Suite;
import org.junit.runners.model.FrameworkMethod;
import org.junit.runners.model.InitializationError;
import org.junit.runners.model.Statement;

/**
 * Runs each test and its impossible twin, in any order: the same method, after which it fails whatever it did.
 *
 * <p>A twin is called as its test, with eight letters of the SHA-256 of a seed and its test's name behind that.
 */
final class Twins extends BlockJUnit4ClassRunner {
    private final String seed;

    private Twins(Class<?> tested, String seed) throws InitializationError {
        super(tested);
        this.seed = seed;
    }

    static void run(JUnitCore core, Class<?> tested, String seed) throws InitializationError {
        List<Runner> both = new ArrayList<>(List.of(new BlockJUnit4ClassRunner(tested), new Twins(tested, seed)));
        Collections.shuffle(both);
        core.run(new Both(both));
    }

    @Override
    protected String testName(FrameworkMethod method) {
        try {
            byte[] named = (seed + method.getName()).getBytes(StandardCharsets.UTF_8);
            StringBuilder name = new StringBuilder(method.getName());
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(named);
            for (int i = 0; i < 8; i++) {
                name.append((char) ('a' + (digest[i] & 0xff) % 26));
            }
            return name.toString();
        } catch (NoSuchAlgorithmException missing) {
            throw new AssertionError(missing);
        }
    }

    @Override
    protected Statement methodBlock(FrameworkMethod method) {
        Statement tested = super.methodBlock(method);
        return new Statement() {
            @Override
            public void evaluate() throws Throwable {
                tested.evaluate();
                throw new AssertionError("the end of a twin");
            }
        };
    }

    private static final class Both extends Suite {
        Both(List<Runner> runners) throws InitializationError {
            super((Class<?>) null, runners);
        }
    }
}
