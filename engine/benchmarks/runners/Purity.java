package judge;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.Map;
import java.util.Set;

/**
 * Whether compiled classes can leave anything behind in the JVM that runs them, by what their constant pools name.
 *
 * <p>Only what is listed here may be named: values, collections and text, JUnit's assertions, and the classes
 * themselves. Not threads, properties, streams of the system, reflection, files, errors that are caught, or whatever a
 * later JDK brings. (Format: JVM specification 4.4.)
 */
final class Purity {
    private static final Set<String> PACKAGES = Set.of(
            "java/util/function/", "java/util/regex/", "java/math/", "java/text/", "java/time/");
    private static final Set<String> LANG = Set.of(
            "Object", "String", "StringBuilder", "StringBuffer", "CharSequence", "Comparable", "Iterable", "Math",
            "StrictMath", "Number", "Integer", "Long", "Short", "Byte", "Character", "Double", "Float", "Boolean", "Void",
            "Enum", "Record", "Override", "Deprecated", "FunctionalInterface", "SafeVarargs", "SuppressWarnings",
            "AutoCloseable", "Cloneable", "Exception", "RuntimeException", "ArithmeticException",
            "ArrayIndexOutOfBoundsException", "ArrayStoreException", "AssertionError", "ClassCastException",
            "CloneNotSupportedException", "IllegalArgumentException", "IllegalStateException",
            "IndexOutOfBoundsException", "NegativeArraySizeException", "NullPointerException", "NumberFormatException",
            "StringIndexOutOfBoundsException", "UnsupportedOperationException", "MatchException");
    private static final Set<String> NOT_IN_UTIL = Set.of(
            "Timer", "TimerTask", "Locale", "TimeZone", "SimpleTimeZone", "Calendar", "GregorianCalendar", "Currency",
            "ServiceLoader", "ResourceBundle", "PropertyResourceBundle", "ListResourceBundle", "Properties", "EventObject");
    private static final Set<String> OTHERS = Set.of(
            "java/io/Serializable", "java/io/IOException", "java/io/UncheckedIOException", "java/io/Reader",
            "java/io/StringReader", "java/io/BufferedReader", "java/io/StringWriter", "java/io/Closeable",
            "java/nio/file/Path", "java/nio/file/Paths", "java/nio/charset/StandardCharsets", "java/nio/charset/Charset",
            "java/lang/invoke/MethodHandles$Lookup", "java/lang/invoke/MethodHandles",
            "java/util/stream/Stream", "java/util/stream/IntStream", "java/util/stream/LongStream",
            "java/util/stream/DoubleStream", "java/util/stream/Collectors", "java/util/stream/Collector",
            "java/util/stream/StreamSupport", "org/junit/Assert", "org/junit/Test", "org/junit/Before", "org/junit/After",
            "org/junit/Ignore", "org/junit/Test$None", "judge/Near", "judge/Near$Mark",
            "org/hamcrest/CoreMatchers", "org/hamcrest/Matcher");
    private static final Set<String> MEMBERS = Set.of(
            "java/lang/System.arraycopy", "java/lang/System.nanoTime", "java/lang/System.currentTimeMillis",
            "java/lang/System.identityHashCode", "java/lang/System.out", "java/lang/System.err",
            "java/lang/System.lineSeparator", "java/io/PrintStream.println", "java/io/PrintStream.print",
            "java/io/PrintStream.printf", "java/lang/Class.getSimpleName", "java/lang/Class.getName",
            "java/lang/Class.desiredAssertionStatus", "java/lang/Throwable.getMessage",
            "java/lang/Throwable.addSuppressed", "java/util/Locale.ROOT", "java/util/Locale.US", "java/util/Locale.ENGLISH",
            "java/lang/invoke/LambdaMetafactory.metafactory", "java/lang/invoke/StringConcatFactory.makeConcatWithConstants",
            "java/lang/runtime/ObjectMethods.bootstrap");
    private static final Set<String> ONLY_MEMBERS = Set.of(
            "java/lang/System", "java/io/PrintStream", "java/lang/Class", "java/lang/Throwable", "java/util/Locale",
            "java/lang/invoke/LambdaMetafactory", "java/lang/invoke/StringConcatFactory",
            "java/lang/runtime/ObjectMethods", "java/lang/invoke/MethodHandles$Lookup", "java/lang/invoke/MethodHandles");
    private static final Set<String> NEVER = Set.of("parallel", "parallelStream", "finalize", "exit", "commonPool");

    private static final int UTF8 = 1;
    private static final int INTEGER = 3;
    private static final int FLOAT = 4;
    private static final int LONG = 5;
    private static final int DOUBLE = 6;
    private static final int CLASS = 7;
    private static final int FIELD = 9;
    private static final int INTERFACE_METHOD = 11;
    private static final int METHOD_HANDLE = 15;
    private static final Set<Integer> ONE_INDEX = Set.of(CLASS, 8, 16, 19, 20);
    private static final Set<Integer> TWO_INDICES = Set.of(FIELD, 10, INTERFACE_METHOD, 12, 17, 18);

    private Purity() {}

    /** The first thing named that is not allowed; empty where all is. */
    static String offence(Map<String, byte[]> classes) {
        for (byte[] content : classes.values()) {
            try {
                String found = offence(content, classes.keySet());
                if (!found.isEmpty()) {
                    return found;
                }
            } catch (IOException | RuntimeException trouble) {
                return "a class that cannot be read";
            }
        }
        return "";
    }

    private static String offence(byte[] content, Set<String> own) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(content));
        in.readLong(); // magic and version
        int count = in.readUnsignedShort();
        String[] texts = new String[count];
        int[] tags = new int[count];
        int[] firsts = new int[count];
        int[] seconds = new int[count];
        for (int i = 1; i < count; i++) {
            tags[i] = in.readUnsignedByte();
            if (tags[i] == UTF8) {
                texts[i] = in.readUTF();
            } else if (tags[i] == INTEGER || tags[i] == FLOAT) {
                in.readInt();
            } else if (tags[i] == LONG || tags[i] == DOUBLE) {
                in.readLong();
                i++;
            } else if (tags[i] == METHOD_HANDLE) {
                in.readUnsignedByte();
                firsts[i] = in.readUnsignedShort();
            } else if (ONE_INDEX.contains(tags[i])) {
                firsts[i] = in.readUnsignedShort();
            } else if (TWO_INDICES.contains(tags[i])) {
                firsts[i] = in.readUnsignedShort();
                seconds[i] = in.readUnsignedShort();
            } else {
                return "a constant of kind " + tags[i];
            }
        }
        for (int i = 1; i < count; i++) {
            String owner = tags[i] == CLASS ? texts[firsts[i]] : "";
            if (!owner.isEmpty() && !isAllowed(owner, own)) {
                return owner;
            }
            if (tags[i] >= FIELD && tags[i] <= INTERFACE_METHOD) {
                String named = texts[firsts[firsts[i]]] + "." + texts[firsts[seconds[i]]];
                String member = texts[firsts[seconds[i]]];
                boolean isLimited = ONLY_MEMBERS.contains(texts[firsts[firsts[i]]]);
                if (NEVER.contains(member) || (isLimited && !MEMBERS.contains(named))) {
                    return named;
                }
            }
            if (tags[i] == UTF8 && (texts[i].equals("finalize") || texts[i].equals("parallel"))) {
                return texts[i];
            }
        }
        return "";
    }

    private static boolean isAllowed(String owner, Set<String> own) {
        String name = owner.replaceFirst("^\\[+L?", "").replaceFirst(";$", "");
        if (owner.startsWith("[") && name.length() == 1) {
            return true; // an array of numbers
        }
        if (own.contains(name.replace('/', '.')) || OTHERS.contains(name) || ONLY_MEMBERS.contains(name)) {
            return true;
        }
        int slash = name.lastIndexOf('/') + 1;
        String folder = name.substring(0, slash);
        String outer = name.substring(slash).split("\\$", 2)[0];
        if (folder.equals("java/lang/")) {
            return LANG.contains(outer);
        }
        return folder.equals("java/util/") ? !NOT_IN_UTIL.contains(outer) : PACKAGES.contains(folder);
    }
}
