package judge;

import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;

/** Writes the class that tests see in the place of a patched one: the same methods, each of which asks Near. */
final class Stub {
    private static final Set<String> PLAIN = Set.of(
            "java.lang.Object", "java.lang.String", "java.lang.Integer", "java.lang.Long", "java.lang.Short",
            "java.lang.Byte", "java.lang.Character", "java.lang.Boolean", "java.lang.Float", "java.lang.Double",
            "java.util.List", "java.util.ArrayList", "java.util.Collection", "java.util.Map", "java.util.HashMap",
            "java.util.Set", "java.util.HashSet", "java.util.LinkedHashMap", "java.util.LinkedHashSet",
            "java.lang.Iterable");

    private final Class<?> original;
    private final StringBuilder text = new StringBuilder();

    private Stub(Class<?> original) {
        this.original = original;
    }

    /** The source. Raises IllegalArgumentException with the reason where the tests could need more than plain values. */
    static String of(Map<String, byte[]> classes, String name) throws ClassNotFoundException {
        Class<?> original = Class.forName(name, false, new Compiler.Loader(classes));
        for (String each : classes.keySet()) {
            boolean isInner = each.startsWith(name + "$");
            check(each.equals(name) || isInner, "there is more than one class");
        }
        return new Stub(original).written();
    }

    private static void check(boolean isFine, String reason) {
        if (!isFine) {
            throw new IllegalArgumentException(reason);
        }
    }

    private String written() {
        boolean isUsual = original.getSuperclass() == Object.class && original.getInterfaces().length == 0;
        check(isUsual && original.getTypeParameters().length == 0, "it is no plain class");
        for (Class<?> inner : original.getDeclaredClasses()) {
            check(Modifier.isPrivate(inner.getModifiers()), "it has classes inside");
        }
        for (Field field : original.getDeclaredFields()) {
            check(Modifier.isPrivate(field.getModifiers()) || field.isSynthetic(), "it has fields for others");
        }
        String folder = original.getPackageName();
        if (!folder.isEmpty()) {
            text.append("package ").append(folder).append(";\n");
        }
        String name = original.getSimpleName();
        text.append("@SuppressWarnings(\"all\")\n").append(modifiers(original.getModifiers() & ~Modifier.SYNCHRONIZED));
        text.append("class ").append(name).append(" {\n    private ").append(name).append("(judge.Near.Mark mark) { }\n");
        for (Constructor<?> each : original.getDeclaredConstructors()) {
            if (!Modifier.isPrivate(each.getModifiers()) && !each.isSynthetic()) {
                text.append("    ").append(modifiers(each.getModifiers())).append(name).append(parameters(each));
                text.append(" { judge.Near.make(this, \"").append(Far.signature(each)).append('"').append(given(each));
                text.append("); }\n");
            }
        }
        for (Method each : original.getDeclaredMethods()) {
            if (!Modifier.isPrivate(each.getModifiers()) && !each.isSynthetic()) {
                method(each);
            }
        }
        return text.append("}\n").toString();
    }

    private void method(Method each) {
        boolean isStatic = Modifier.isStatic(each.getModifiers());
        check(each.getTypeParameters().length == 0, "a method has types of its own");
        String type = type(each.getGenericReturnType());
        text.append("    ").append(modifiers(each.getModifiers())).append(type).append(' ').append(each.getName());
        text.append(parameters(each)).append(" { ");
        if (each.getReturnType() != void.class) {
            text.append("return (").append(type).append(") ");
        }
        text.append("judge.Near.call(").append(original.getSimpleName()).append(".class, \"").append(Far.signature(each));
        text.append("\", ").append(isStatic ? "null" : "this").append(given(each)).append("); }\n");
    }

    private static String modifiers(int modifiers) {
        int kept = Modifier.PUBLIC | Modifier.PROTECTED | Modifier.STATIC;
        String shown = Modifier.toString(modifiers & kept);
        return shown.isEmpty() ? "" : shown + " ";
    }

    private String parameters(Executable called) {
        StringJoiner all = new StringJoiner(", ", "(", ")");
        Type[] types = called.getGenericParameterTypes();
        for (int i = 0; i < types.length; i++) {
            String shown = type(types[i]);
            if (called.isVarArgs() && i == types.length - 1) {
                shown = shown.substring(0, shown.length() - 2) + "...";
            }
            all.add(shown + " given" + i);
        }
        StringJoiner thrown = new StringJoiner(", ", " throws ", "").setEmptyValue("");
        for (Class<?> each : called.getExceptionTypes()) {
            check(each.getName().startsWith("java."), "it throws errors of its own");
            thrown.add(each.getName());
        }
        return all + thrown.toString();
    }

    private static String given(Executable called) {
        StringBuilder all = new StringBuilder(", new Object[] {");
        for (int i = 0; i < called.getParameterCount(); i++) {
            all.append(i == 0 ? "" : ", ").append("given").append(i);
        }
        return all.append('}').toString();
    }

    private String type(Type type) {
        if (type instanceof ParameterizedType) {
            ParameterizedType made = (ParameterizedType) type;
            StringJoiner inner = new StringJoiner(", ", "<", ">");
            for (Type each : made.getActualTypeArguments()) {
                inner.add(type(each));
            }
            return type(made.getRawType()) + inner;
        }
        if (type instanceof GenericArrayType) {
            return type(((GenericArrayType) type).getGenericComponentType()) + "[]";
        }
        check(!(type instanceof WildcardType) && type instanceof Class, "a type is no plain one: " + type);
        Class<?> plain = (Class<?>) type;
        if (plain.isArray()) {
            return type(plain.getComponentType()) + "[]";
        }
        boolean isPlain = plain.isPrimitive() || plain == original || PLAIN.contains(plain.getName());
        check(isPlain, plain.getName() + " is no plain value");
        return plain == original ? plain.getSimpleName() : plain.getName();
    }
}
