package judge;

import java.io.PrintStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import org.junit.runner.Description;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunListener;

/** Writes what became of each test, one line each that begins with the run's nonce; see report.py for the words. */
final class Reporter extends RunListener {
    private static final int MOST_FRAMES = 5;

    /** Whether a test failed in a way that may leave the JVM itself damaged: a class that cannot be used any more. */
    boolean isOdd;

    private final String nonce;
    private final PrintStream channel;
    private final Set<String> troubled = new HashSet<>();

    Reporter(String nonce, PrintStream channel) {
        this.nonce = nonce;
        this.channel = channel;
    }

    @Override
    public void testFailure(Failure failure) {
        String name = name(failure.getDescription());
        Throwable trouble = failure.getException();
        isOdd |= trouble instanceof VirtualMachineError || trouble instanceof LinkageError;
        troubled.add(name);
        tell("failed", name, trouble.toString());
        show(name, trouble);
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

    void send(String name, byte[] content) {
        channel.print(nonce + " made " + name + " " + Base64.getEncoder().encodeToString(content) + "\n");
    }

    /** Have the patched code in the other JVM do something. */
    void ask(String question) {
        channel.print(nonce + " ask " + question + "\n");
        channel.flush();
    }

    synchronized void tell(String... words) {
        StringBuilder line = new StringBuilder(nonce);
        for (String word : words) {
            String shown = word.length() > 300 ? word.substring(0, 300) : word;
            line.append(' ').append(URLEncoder.encode(shown, StandardCharsets.UTF_8));
        }
        channel.print(line.append('\n'));
        channel.flush();
    }

    void took(String stage, long began, long ended) {
        tell("took", stage, String.format(Locale.ROOT, "%.6f", (ended - began) / 1e9));
    }

    /** The exception and its cause, with the frames of the tested code: none of JUnit, of the JDK or of ours. */
    void show(String name, Throwable trouble) {
        String kind = trouble.getClass().getName();
        String said = String.valueOf(trouble);
        System.err.println((name.isEmpty() ? "" : name + ": ") + (said.startsWith(kind) ? said : kind + ": " + said));
        showFrames(trouble);
        Throwable cause = trouble.getCause();
        if (cause != null && cause != trouble) {
            System.err.println("Caused by: " + cause);
            showFrames(cause);
        }
    }

    private void showFrames(Throwable trouble) {
        int shown = 0;
        for (StackTraceElement frame : trouble.getStackTrace()) {
            String owner = frame.getClassName();
            boolean ours = owner.startsWith("org.junit.") || owner.startsWith("junit.")
                    || owner.startsWith("org.hamcrest.") || owner.startsWith("judge.");
            if (!ours && frame.getModuleName() == null && shown++ < MOST_FRAMES) {
                System.err.println("    at " + frame);
            }
        }
    }
}
