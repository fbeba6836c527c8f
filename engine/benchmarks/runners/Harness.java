import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.runner.Description;
import org.junit.runner.JUnitCore;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunListener;

/**
 * Runs inside the sandbox: compiles a patched class with its tests, runs them, reports each.
 *
 * <p>Arguments: name of the test class, source files. The run's nonce is in a file called
 * "nonce". The report goes to standard output, to which the tested code has no access; see report.py for the words.
 */
public final class Harness extends RunListener {
    private static final int MOST_FRAMES = 5;

    private final String nonce;
    private final PrintStream channel;

    private Harness(String nonce, PrintStream channel) {
        this.nonce = nonce;
        this.channel = channel;
    }

    public static void main(String[] args) throws IOException {
        PrintStream channel = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
        System.setOut(System.err);
        Path file = Path.of("nonce");
        Harness harness = new Harness(Files.readString(file), channel);
        Files.delete(file);
        harness.tell("ready");
        try {
            harness.run(args);
        } catch (OutOfMemoryError trouble) {
            harness.tell("memory");
        } catch (Throwable trouble) {
            harness.show("", trouble);
        }
        System.err.flush();
        Runtime.getRuntime().halt(0); // the tested code's threads are not waited for
    }

    private void run(String[] args) throws Exception {
        String tests = args[0];
        Path classes = Files.createDirectory(Path.of("classes"));
        List<String> options = new ArrayList<>(List.of(
            "-proc:none", "-nowarn", "-encoding", "UTF-8", "-Xmaxerrs", "10", "-implicit:none",
            "-d", classes.toString(), "-cp", System.getProperty("java.class.path")));
        options.addAll(List.of(args).subList(1, args.length));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler.run(null, System.err, System.err, options.toArray(new String[0])) != 0) {
            return;
        }
        tell("compiled"); // from here on the patch's time is counted, by the sandbox
        URL[] path = {classes.toUri().toURL()};
        JUnitCore core = new JUnitCore();
        core.addListener(this);
        core.run(Class.forName(tests, false, new URLClassLoader(path, Harness.class.getClassLoader())));
        tell("done");
    }

    private final List<String> troubled = new ArrayList<>();

    @Override
    public void testFailure(Failure failure) {
        String name = name(failure.getDescription());
        troubled.add(name);
        tell("failed", name, failure.getException().toString());
        show(name, failure.getException());
    }

    @Override
    public void testAssumptionFailure(Failure failure) {
        String name = name(failure.getDescription());
        troubled.add(name);
        tell("skipped", name);
    }

    @Override
    public void testIgnored(Description description) {
        tell("skipped", name(description));
    }

    @Override
    public void testFinished(Description description) {
        if (!troubled.contains(name(description))) {
            tell("passed", name(description));
        }
    }

    private static String name(Description description) {
        String method = description.getMethodName();
        return method == null ? String.valueOf(description.getDisplayName()) : method;
    }

    private synchronized void tell(String... words) {
        StringBuilder line = new StringBuilder(nonce);
        for (String word : words) {
            String shown = word.length() > 300 ? word.substring(0, 300) : word;
            line.append(' ').append(URLEncoder.encode(shown, StandardCharsets.UTF_8));
        }
        channel.print(line.append('\n'));
        channel.flush();
    }

    /** The exception and the frames of the tested code, without those of JUnit and of the JDK's reflection. */
    private void show(String name, Throwable trouble) {
        System.err.println((name.isEmpty() ? "" : name + ": ") + trouble);
        int shown = 0;
        for (StackTraceElement frame : trouble.getStackTrace()) {
            String owner = frame.getClassName();
            boolean ours = owner.startsWith("org.junit.") || owner.startsWith("junit.") || owner.equals("Harness");
            if (!ours && frame.getModuleName() == null && shown++ < MOST_FRAMES) {
                System.err.println("    at " + frame);
            }
        }
    }
}
