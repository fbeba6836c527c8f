package judge;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.runner.JUnitCore;

/**
 * Runs inside the sandbox: compiles a patched class with its tests, runs them, reports each.
 *
 * <p>Arguments: name of the test class, source files. The run's nonce is in a file called
 * "nonce". The report goes to standard output, to which the tested code has no access; see report.py for the words.
 */
public final class Harness {
    private Harness() {}

    public static void main(String[] args) throws IOException {
        PrintStream channel = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
        System.setOut(System.err);
        Path file = Path.of("nonce");
        Path doubled = Path.of("twins");
        String seed = Files.exists(doubled) ? Files.readString(doubled) : "";
        Files.deleteIfExists(doubled);
        Reporter reporter = new Reporter(Files.readString(file), channel);
        Files.delete(file);
        reporter.tell("ready");
        try {
            run(args, reporter, seed);
        } catch (OutOfMemoryError trouble) {
            reporter.tell("memory");
        } catch (Throwable trouble) {
            reporter.show("", trouble);
        }
        System.err.flush();
        Runtime.getRuntime().halt(0); // the tested code's threads are not waited for
    }

    private static void run(String[] args, Reporter reporter, String seed) throws Exception {
        String tests = args[0];
        Map<String, byte[]> sources = new LinkedHashMap<>();
        for (String source : List.of(args).subList(1, args.length)) {
            sources.put(source, Files.readAllBytes(Path.of(source)));
            Files.delete(Path.of(source)); // no patch reads what its tests expect
        }
        long began = System.nanoTime();
        Map<String, byte[]> classes = new Compiler().compile(sources);
        if (classes == null) {
            return;
        }
        long compiled = System.nanoTime();
        reporter.took("compile", began, compiled);
        reporter.tell("compiled"); // from here on the patch's time is counted, by the sandbox
        JUnitCore core = new JUnitCore();
        core.addListener(reporter);
        Class<?> tested = Class.forName(tests, false, new Compiler.Loader(classes));
        if (seed.isEmpty()) {
            core.run(tested);
        } else {
            Twins.run(core, tested, seed);
        }
        reporter.took("all_tests", compiled, System.nanoTime());
        reporter.tell("done");
    }
}
