package judge;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** Compiles sources that lie in memory to classes that lie there too; what it knows of the libraries is kept. */
final class Compiler {
    private static final List<String> OPTIONS =
            List.of("-proc:none", "-nowarn", "-Xmaxerrs", "10", "-implicit:none");

    private final JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    private final StandardJavaFileManager files =
            compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8);

    /** Whether a source asked too much of the compiler the last time, which may have left this JVM damaged. */
    boolean isExhausted;

    /** Names and bytes of the classes; null where a source is no program, with the reasons on System.err. */
    Map<String, byte[]> compile(Map<String, byte[]> sources) {
        Map<String, ByteArrayOutputStream> made = new LinkedHashMap<>();
        List<JavaFileObject> units = new ArrayList<>();
        for (Map.Entry<String, byte[]> source : sources.entrySet()) {
            try {
                ByteBuffer content = ByteBuffer.wrap(source.getValue());
                units.add(new Source(source.getKey(), StandardCharsets.UTF_8.newDecoder().decode(content).toString()));
            } catch (CharacterCodingException trouble) {
                System.err.println(source.getKey() + ": error: unmappable character for encoding UTF-8");
                return null;
            }
        }
        JavaFileManager manager = new ForwardingJavaFileManager<>(files) {
            @Override
            public JavaFileObject getJavaFileForOutput(
                    Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
                return new SimpleJavaFileObject(URI.create("memory:///" + name.replace('.', '/') + ".class"), kind) {
                    @Override
                    public OutputStream openOutputStream() {
                        ByteArrayOutputStream content = new ByteArrayOutputStream();
                        made.put(name, content);
                        return content;
                    }
                };
            }
        };
        StringWriter said = new StringWriter();
        boolean isFine = compiler.getTask(said, manager, null, OPTIONS, null, units).call();
        System.err.print(said);
        isExhausted = said.toString().contains("StackOverflowError") || said.toString().contains("OutOfMemoryError");
        if (!isFine) {
            return null;
        }
        Map<String, byte[]> classes = new LinkedHashMap<>();
        made.forEach((name, content) -> classes.put(name, content.toByteArray()));
        return classes;
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String path;
        private final String text;

        Source(String path, String text) {
            super(URI.create("memory:///" + path), Kind.SOURCE);
            this.path = path;
            this.text = text;
        }

        @Override
        public String getName() {
            return path;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }

    /** Loads compiled classes, each parent first; none can be read as a file, nor any more once it is loaded. */
    static final class Loader extends ClassLoader {
        private final Map<String, byte[]> classes;

        Loader(Map<String, byte[]> classes) {
            super(Loader.class.getClassLoader());
            this.classes = classes;
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            byte[] content = classes.remove(name);
            if (content == null) {
                throw new ClassNotFoundException(name);
            }
            return defineClass(name, content, 0, content.length);
        }
    }
}
