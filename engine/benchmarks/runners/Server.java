import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import org.junit.runner.JUnitCore;

/**
 * Runs inside the sandbox and stays: compiles and tests one patch after another in this JVM.
 *
 * <p>A job on standard input is a number of byte strings, each after its length: the nonce, the name of the test class,
 * then path and content of each source. The report says "pure" of classes that name nothing but harmless
 * things (see Purity) and can change nothing here; it says so before any of them is loaded. After all others whoever
 * sent the job ends this JVM, whatever it says of itself.
 */
public final class Server {
    private final DataInputStream jobs = new DataInputStream(new FileInputStream(FileDescriptor.in));
    private final PrintStream channel = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
    private final Compiler compiler = new Compiler();

    public static void main(String[] args) throws IOException {
        Server server = new Server();
        System.setIn(InputStream.nullInputStream());
        System.setOut(System.err);
        while (server.work()) {}
        Runtime.getRuntime().halt(0);
    }

    private boolean work() throws IOException {
        String[] words = new String[2];
        Map<String, byte[]> sources = new LinkedHashMap<>();
        try {
            int count = jobs.readInt();
            words[0] = new String(next());
            words[1] = new String(next());
            for (int i = 2; i < count; i += 2) {
                sources.put(new String(next()), next());
            }
        } catch (EOFException end) {
            return false;
        }
        Reporter reporter = new Reporter(words[0], channel);
        reporter.tell("ready");
        boolean isSound = false;
        try {
            isSound = run(words[1], sources, reporter);
        } catch (OutOfMemoryError trouble) {
            reporter.tell("memory");
        } catch (Throwable trouble) {
            reporter.show("", trouble);
        }
        System.err.flush();
        reporter.tell("end", isSound ? "sound" : "odd");
        return true;
    }

    private boolean run(String tests, Map<String, byte[]> sources, Reporter reporter) throws Exception {
        long began = System.nanoTime();
        Map<String, byte[]> classes = compiler.compile(sources);
        if (classes == null) {
            return !compiler.isExhausted;
        }
        String offence = Purity.offence(classes);
        reporter.tell(offence.isEmpty() ? "pure" : "impure", offence);
        List<Object> before = state();
        long compiled = System.nanoTime();
        reporter.took("compile", began, compiled);
        reporter.tell("compiled"); // from here on the patch's time is counted, by the sandbox
        JUnitCore core = new JUnitCore();
        core.addListener(reporter);
        core.run(Class.forName(tests, false, new Compiler.Loader(classes)));
        reporter.took("all_tests", compiled, System.nanoTime());
        reporter.tell("done");
        return !reporter.isOdd && before.equals(state());
    }

    private byte[] next() throws IOException {
        return jobs.readNBytes(jobs.readInt());
    }

    /** What a program can change of a JVM, as far as it can be seen. */
    private static List<Object> state() {
        return Arrays.asList(
                Thread.getAllStackTraces().size(), System.getProperties().clone(), System.out, System.err, System.in,
                Locale.getDefault(), TimeZone.getDefault(), Thread.getDefaultUncaughtExceptionHandler(),
                Thread.currentThread().getContextClassLoader());
    }
}
