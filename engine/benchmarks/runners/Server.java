package judge;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
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
 * <p>A job on standard input is a number of byte strings, each after its length: what is to be done ("test", "ask" where the
 * class lies in another JVM, "classes" or "stub"), the nonce, the name of the test class or of the class to make a stub of, then path and content of each
 * source. The report says "pure" of classes that name nothing but harmless
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
        String[] words = new String[3];
        Map<String, byte[]> sources = new LinkedHashMap<>();
        try {
            int count = jobs.readInt();
            for (int i = 0; i < words.length; i++) {
                words[i] = new String(next(), StandardCharsets.UTF_8);
            }
            for (int i = words.length; i < count; i += 2) {
                sources.put(new String(next(), StandardCharsets.UTF_8), next());
            }
        } catch (EOFException end) {
            return false;
        }
        Reporter reporter = new Reporter(words[1], channel);
        reporter.tell("ready");
        boolean isSound = false;
        boolean isTest = words[0].equals("test") || words[0].equals("ask");
        try {
            isSound = isTest ? run(words[2], sources, reporter, words[0].equals("ask")) : make(words, sources, reporter);
        } catch (OutOfMemoryError trouble) {
            reporter.tell("memory");
        } catch (Throwable trouble) {
            reporter.show("", trouble);
        }
        System.err.flush();
        reporter.tell("end", isSound ? "sound" : "odd");
        return true;
    }

    /** Compiled classes, or the stub of one of them, each on a line. */
    private boolean make(String[] words, Map<String, byte[]> sources, Reporter reporter) throws Exception {
        Map<String, byte[]> classes = compiler.compile(sources);
        if (classes != null && words[0].equals("stub")) {
            try {
                reporter.send("stub", Stub.of(classes, words[2]).getBytes(StandardCharsets.UTF_8));
            } catch (IllegalArgumentException reason) {
                reporter.show("", reason);
            }
        } else if (classes != null) {
            classes.forEach((name, content) -> reporter.send(name, content));
            reporter.tell("compiled");
        }
        return !compiler.isExhausted;
    }

    private boolean run(String tests, Map<String, byte[]> sources, Reporter reporter, boolean isRemote)
            throws Exception {
        long began = System.nanoTime();
        Map<String, byte[]> classes = compiler.compile(sources);
        if (classes == null) {
            return !compiler.isExhausted;
        }
        String offence = Purity.offence(classes);
        reporter.tell(offence.isEmpty() ? "pure" : "impure", offence);
        List<Object> before = state();
        Near.begin(isRemote ? jobs : null, reporter);
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
