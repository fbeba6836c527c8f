"""What a Java text uses beyond plain computing: classes of other packages, and members that reach what is not named.

A class is named by an import, by its whole name, or as one of java.lang; what it reaches without a name, it reaches by
its members. The reaching classes of plain packages, and the reaching members of any class, are listed here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# What is in these packages may be imported and named in full, except the classes below.
PACKAGES = {
    *("java.lang", "java.math", "java.text", "java.time", "java.time.format", "java.time.temporal", "java.util"),
    *("java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks", "java.util.function"),
    *("java.util.regex", "java.util.stream"),
}
CLASSES = {
    *("java.io.BufferedReader", "java.io.Closeable", "java.io.IOException", "java.io.Reader"),
    *("java.io.Serializable", "java.io.StringReader", "java.io.StringWriter", "java.io.UncheckedIOException"),
    *("java.nio.charset.Charset", "java.nio.charset.StandardCharsets", "java.nio.file.Path", "java.nio.file.Paths"),
}
# Classes of those packages that reach other ones, the process, its threads or its files; words wherever they stand.
REACHING = (
    r"Class|ClassLoader|ClassValue|Cleaner|Compiler|CompletableFuture|Error|\w+Error(?<!AssertionError)|\w*Executor\w*"
    r"|ForkJoin\w*|Formatter|FutureTask|IO|InheritableThreadLocal|MethodHandles?|Module|ModuleLayer|Package|Process"
    r"|ProcessBuilder|ProcessHandle|Properties|Proxy|\w*ResourceBundle|Runtime|Scanner|ScopedValue|SecurityManager"
    r"|ServiceLoader|StackTraceElement|StackWalker|StringTemplate|Thread\w*|Throwable|Timer|TimerTask|Unsafe|VarHandle"
)
# Called, or named as `::` does.
MEMBERS = (
    r"commonPool|exit|finalize|forName|getClass|getConstructors?|getDeclar\w+|getFields?|getFileSystem|getMethods?"
    r"|getModule|getPackage\w*|getPropert(?:y|ies)|getResource\w*|getStackTrace|getenv|halt|invoke\w*|load\w*Library"
    r"|newInstance|openStream|parallel|parallelStream|provider|setAccessible|setDefault|setErr|setIn|setOut"
    r"|setPropert(?:y|ies)|setStackTrace|toFile|toRealPath|toURL|toUri"
)
SYSTEM = r"arraycopy|currentTimeMillis|err\b|identityHashCode|lineSeparator|nanoTime|out\b"
WORDS = re.compile(
    rf"\b(?:{REACHING})\b|\b(?:{MEMBERS})(?=\s*\()|(?<=::)\s*(?:{MEMBERS})\b|\.\s*class\b"
    rf"|\bSystem\b(?!\s*\.\s*(?:{SYSTEM}))"
)
# Methods that decide whether two values are the same, where they are declared.
SAME = re.compile(r"\b[\w\]>]+\s+(equals|hashCode|compareTo|toString)\s*\((?:[^()]|\([^()]*\))*\)\s*(?:\{|throws\b)")
DECLARED = re.compile(r"\b(?:class|interface|enum|record)\s+(\w+)")
# A name that begins with what the packages of the JDK and of the harness begin with.
ROOTED = re.compile(r"(?<![\w.])(?:java|javax|jdk|sun|com|org|netscape|judge|junit)(?:\s*\.\s*\w+)+")
IMPORTED = re.compile(r"\bimport\s+(static\s+)?([\w.\s]+?(?:\.\s*\*)?)\s*;")
# Comments and texts, whose words reach nothing.
SILENT = re.compile(r'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n\r]*|/\*.*?\*/', re.DOTALL)
ESCAPE = re.compile(r"\\u+00[0-7][0-9a-fA-F]")


def found_in(text: str) -> Iterator[str]:
    """In a few words each; what is the same in two texts is used in the same way."""
    # An escaped letter is one to the compiler, and letters that are not shown are none to it.
    yield from ESCAPE.findall(text)
    yield from (f"U+{ord(each):04X}" for each in text if _is_hidden(each))
    code = SILENT.sub(" ", text)
    yield from (re.sub(r"\s", "", word) for word in WORDS.findall(code))
    yield from (f"its own {name}" for name in SAME.findall(code))
    # A class of its own beside the patched one may stand for one that the tests name.
    yield from (f"a class {each[1]}" for each in DECLARED.finditer(code) if _depth(code[: each.start()]) <= 0)
    for is_static, name in IMPORTED.findall(code):
        name = re.sub(r"\s", "", name)
        if not _is_plain(name.rpartition(".")[0] if is_static else name):
            yield f"import {name}"
    for name in ROOTED.findall(IMPORTED.sub(" ", code)):
        name = re.sub(r"\s", "", name)
        if not _is_plain(name):
            yield name


def _depth(code: str) -> int:
    return code.count("{") - code.count("}")


def _is_hidden(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf") and letter not in "\t\n\r\f"


def _is_plain(name: str) -> bool:
    """Whether a class or the member of one is; it is the package that counts, up to the first capital."""
    parts = name.split(".")
    first = next((place for place, part in enumerate(parts) if part[:1].isupper() or part == "*"), len(parts))
    return ".".join(parts[:first]) in PACKAGES or ".".join(parts[: first + 1]) in CLASSES
