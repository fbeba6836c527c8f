package judge;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.reflect.Array;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * Plain values as bytes: what passes between tests and patched code that run in two JVMs.
 *
 * <p>Plain are null, boxed values, strings, and arrays, lists, sets and maps of them. What is read is built anew of the
 * library's own classes, so no method of what was written decides anything. An object of the patched class is a number,
 * which the two functions know.
 */
final class Plain {
    private static final int DEEPEST = 200;
    private static final Map<String, Class<?>> COMPONENTS = new LinkedHashMap<>();

    static {
        for (Class<?> each : List.of(int.class, long.class, short.class, byte.class, char.class, boolean.class,
                float.class, double.class, Object.class, String.class, Integer.class, Long.class, Double.class,
                Boolean.class, Character.class, List.class, ArrayList.class, Map.class, Set.class)) {
            COMPONENTS.put(each.getName(), each);
        }
    }

    private Plain() {}

    static byte[] write(Object value, Function<Object, Integer> number) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        write(new DataOutputStream(bytes), value, number, 0);
        return bytes.toByteArray();
    }

    static Object read(byte[] bytes, IntFunction<Object> object) throws IOException {
        return read(new DataInputStream(new ByteArrayInputStream(bytes)), object, 0);
    }

    static void write(DataOutputStream out, Object value, Function<Object, Integer> number, int depth)
            throws IOException {
        if (depth > DEEPEST) {
            throw new IOException("a value is nested too deeply to be exchanged");
        }
        if (value == null) {
            out.writeByte('N');
        } else if (value instanceof String) {
            out.writeByte('T');
            byte[] text = ((String) value).getBytes(StandardCharsets.UTF_16BE);
            out.writeInt(text.length);
            out.write(text);
        } else if (value instanceof Integer) {
            out.writeByte('I');
            out.writeInt((Integer) value);
        } else if (value instanceof Long) {
            out.writeByte('J');
            out.writeLong((Long) value);
        } else if (value instanceof Double) {
            out.writeByte('D');
            out.writeDouble((Double) value);
        } else if (value instanceof Boolean) {
            out.writeByte('Z');
            out.writeBoolean((Boolean) value);
        } else if (value instanceof Character) {
            out.writeByte('C');
            out.writeChar((Character) value);
        } else if (value instanceof Byte || value instanceof Short) {
            out.writeByte(value instanceof Byte ? 'B' : 'S');
            out.writeShort(((Number) value).shortValue());
        } else if (value instanceof Float) {
            out.writeByte('F');
            out.writeFloat((Float) value);
        } else if (value.getClass().isArray()) {
            writeArray(out, value, number, depth);
        } else if (value instanceof List || value instanceof Set) {
            out.writeByte(value instanceof List ? 'L' : 'E');
            Object[] all = ((Collection<?>) value).toArray();
            out.writeInt(all.length);
            for (Object each : all) {
                write(out, each, number, depth + 1);
            }
        } else if (value instanceof Map) {
            out.writeByte('M');
            Map<?, ?> map = (Map<?, ?>) value;
            out.writeInt(map.size());
            for (Map.Entry<?, ?> each : map.entrySet()) {
                write(out, each.getKey(), number, depth + 1);
                write(out, each.getValue(), number, depth + 1);
            }
        } else {
            Integer known = number.apply(value);
            if (known == null) {
                throw new IOException("a " + value.getClass().getName() + " is no plain value");
            }
            out.writeByte('H');
            out.writeInt(known);
        }
    }

    private static void writeArray(DataOutputStream out, Object array, Function<Object, Integer> number, int depth)
            throws IOException {
        Class<?> component = array.getClass().getComponentType();
        int dimensions = 1;
        while (component.isArray()) {
            component = component.getComponentType();
            dimensions++;
        }
        if (!COMPONENTS.containsKey(component.getName())) {
            throw new IOException("an array of " + component.getName() + " is no plain value");
        }
        out.writeByte('[');
        out.writeByte(dimensions);
        out.writeUTF(component.getName());
        out.writeInt(Array.getLength(array));
        for (int i = 0; i < Array.getLength(array); i++) {
            write(out, Array.get(array, i), number, depth + 1);
        }
    }

    static Object read(DataInputStream in, IntFunction<Object> object, int depth) throws IOException {
        if (depth > DEEPEST) {
            throw new IOException("a value is nested too deeply to be exchanged");
        }
        int kind = in.readUnsignedByte();
        switch (kind) {
            case 'N':
                return null;
            case 'T':
                return new String(sized(in, in.readInt()), StandardCharsets.UTF_16BE);
            case 'I':
                return in.readInt();
            case 'J':
                return in.readLong();
            case 'D':
                return in.readDouble();
            case 'Z':
                return in.readBoolean();
            case 'C':
                return in.readChar();
            case 'B':
                return (byte) in.readShort();
            case 'S':
                return in.readShort();
            case 'F':
                return in.readFloat();
            case 'H':
                return object.apply(in.readInt());
            case '[':
                return readArray(in, object, depth);
            case 'L':
            case 'E':
                Collection<Object> all = kind == 'L' ? new ArrayList<>() : new LinkedHashSet<>();
                for (int left = in.readInt(); left > 0; left--) {
                    all.add(read(in, object, depth + 1));
                }
                return all;
            case 'M':
                Map<Object, Object> map = new LinkedHashMap<>();
                for (int left = in.readInt(); left > 0; left--) {
                    Object key = read(in, object, depth + 1);
                    map.put(key, read(in, object, depth + 1));
                }
                return map;
            default:
                throw new IOException("not a plain value");
        }
    }

    private static Object readArray(DataInputStream in, IntFunction<Object> object, int depth) throws IOException {
        int dimensions = in.readUnsignedByte();
        Class<?> component = COMPONENTS.get(in.readUTF());
        int length = in.readInt();
        if (component == null || dimensions < 1 || dimensions > 8 || length < 0 || length > in.available()) {
            throw new IOException("not an array of plain values");
        }
        for (int i = 1; i < dimensions; i++) {
            component = Array.newInstance(component, 0).getClass();
        }
        Object array = Array.newInstance(component, length);
        for (int i = 0; i < length; i++) {
            Array.set(array, i, read(in, object, depth + 1));
        }
        return array;
    }

    private static byte[] sized(DataInputStream in, int length) throws IOException {
        if (length < 0 || length > in.available()) {
            throw new IOException("not so many bytes");
        }
        return in.readNBytes(length);
    }
}
