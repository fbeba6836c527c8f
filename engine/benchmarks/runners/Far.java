package judge;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Runs inside a sandbox of its own: the patched class, and nothing of its tests.
 *
 * <p>A line asks for one call; a line answers with what came back, or what was thrown, and the arguments that were
 * changed. The objects of the class stay here and are known outside by number. Nothing here is trusted by the other
 * side: all that comes of a lie is that the tests find another value than they expect.
 */
public final class Far {
    private final Class<?> patched;
    private final List<Object> objects = new ArrayList<>();
    private final Map<Object, Integer> numbers = new IdentityHashMap<>();

    private Far(Class<?> patched) {
        this.patched = patched;
    }

    public static void main(String[] args) throws Exception {
        InputStream in = new FileInputStream(FileDescriptor.in);
        BufferedReader asked = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII));
        PrintStream channel = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
        System.setIn(InputStream.nullInputStream());
        System.setOut(System.err);
        channel.print("ready\n");
        channel.flush();
        Far far = new Far(Class.forName(args[0], false, Far.class.getClassLoader()));
        for (String line = asked.readLine(); line != null; line = asked.readLine()) {
            Object[] answer = far.answer(Base64.getDecoder().decode(line));
            byte[] said;
            try {
                said = Plain.write(answer, far::number);
            } catch (Exception trouble) {
                said = Plain.write(raised(trouble), far::number);
            }
            channel.print(Base64.getEncoder().encodeToString(said) + "\n");
            channel.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    /** {"value", result, changed arguments or null} or {"thrown", names of its classes, message}. */
    private Object[] answer(byte[] asked) {
        try {
            Object[] call = (Object[]) Plain.read(asked, objects::get);
            Object[] given = (Object[]) call[2];
            Executable called = found((String) call[0]);
            byte[][] before = new byte[given.length][];
            for (int i = 0; i < given.length; i++) {
                before[i] = Plain.write(given[i], this::number);
            }
            Object result;
            if (called instanceof Constructor) {
                result = ((Constructor<?>) called).newInstance(given);
            } else {
                result = ((Method) called).invoke(call[1], given);
            }
            Object[] changed = null;
            for (int i = 0; i < given.length; i++) {
                if (!Arrays.equals(before[i], Plain.write(given[i], this::number))) {
                    changed = given;
                }
            }
            return new Object[] {"value", result, changed};
        } catch (InvocationTargetException thrown) {
            return raised(thrown.getCause());
        } catch (Throwable trouble) {
            return raised(trouble);
        }
    }

    private static Object[] raised(Throwable trouble) {
        List<String> names = new ArrayList<>();
        for (Class<?> each = trouble.getClass(); each != null; each = each.getSuperclass()) {
            names.add(each.getName());
        }
        return new Object[] {"thrown", names, trouble.getMessage()};
    }

    private Executable found(String signature) throws NoSuchMethodException {
        List<Executable> all = new ArrayList<>(List.of(patched.getDeclaredConstructors()));
        all.addAll(List.of(patched.getDeclaredMethods()));
        for (Executable each : all) {
            if (signature.equals(signature(each))) {
                ((AccessibleObject) each).setAccessible(true);
                return each;
            }
        }
        throw new NoSuchMethodException(signature);
    }

    /** "static int feeFor(int)", as both sides name what is called. */
    static String signature(Executable called) {
        StringJoiner types = new StringJoiner(",", "(", ")");
        for (Class<?> each : called.getParameterTypes()) {
            types.add(each.getName());
        }
        if (called instanceof Constructor) {
            return "new" + types;
        }
        String modifier = Modifier.isStatic(called.getModifiers()) ? "static " : "";
        return modifier + ((Method) called).getReturnType().getName() + " " + called.getName() + types;
    }

    private Integer number(Object object) {
        if (!patched.isInstance(object)) {
            return null;
        }
        if (!numbers.containsKey(object)) {
            numbers.put(object, objects.size());
            objects.add(object);
        }
        return numbers.get(object);
    }
}
