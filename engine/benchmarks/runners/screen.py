"""What a patch adds that looks into the process that tests it; it matters only where tests and patch share one.

No proof of anything: it makes the usual ways to a test's report or its expected values visible in the text. A patch
that is stopped here may be honest, so its verdict says what was found.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator

from engine.languages.python_syntax import tree_of

MODULES = {
    *("abc", "array", "bisect", "calendar", "collections", "copy", "dataclasses", "datetime", "decimal", "enum"),
    *("fractions", "functools", "hashlib", "heapq", "html", "itertools", "math", "numbers", "operator", "posixpath"),
    *("random", "re", "shlex", "statistics", "string", "textwrap", "time", "typing", "unicodedata", "urllib"),
}
NAMES = {
    *("eval", "exec", "compile", "globals", "locals", "vars", "dir", "getattr", "setattr", "delattr", "open", "input"),
    *("breakpoint", "help", "exit", "quit", "memoryview", "SystemExit", "KeyboardInterrupt", "GeneratorExit"),
    *("BaseException", "sys", "os", "gc", "inspect", "ctypes", "threading", "signal", "importlib", "builtins"),
    *("pytest", "_pytest", "unittest", "modules", "settrace", "setprofile", "with_traceback", "mro"),
    *(
        "gi_frame",
        "cr_frame",
        "ag_frame",
        "gi_code",
        "cr_code",
        "tb_frame",
        "tb_next",
        "f_back",
        "f_locals",
        "f_globals",
    ),
    *("f_builtins", "f_code", "format_map"),
}
DUNDERS = {
    *("__init__", "__len__", "__iter__", "__next__", "__name__", "__doc__", "__repr__", "__str__", "__lt__", "__gt__"),
    *("__le__", "__ge__", "__enter__", "__exit__", "__getitem__", "__setitem__", "__delitem__", "__add__", "__sub__"),
    *("__mul__", "__neg__", "__slots__", "__post_init__"),
}
JAVA = re.compile(
    r"\\u+[0-9a-fA-F]{4}|\b(?:reflect|Unsafe|setAccessible|getDeclared\w*|getMethods?|getFields?|forName|\w*ClassLoader"
    r"|\w*StackTrace\w*|StackWalker|Thread\w*|Runtime|Process\w*|exit|halt|setOut|setErr|setIn|getProperty|setProperty"
    r"|SecurityManager|instrument|management|sun|jdk|javax|org|junit|hamcrest|File\w*|RandomAccessFile|nio|net|invoke"
    r"|MethodHandles?|VarHandle|ServiceLoader|Proxy|System\s*\.\s*(?:in|console|load\w*)|native|getClass|Error|Throwable"
    r"|ForkJoin\w*|Executor\w*|CompletableFuture|Timer\w*|Cleaner|Shutdown\w*|addShutdownHook|finalize|equals|toString"
    r"|hashCode|compareTo)\b"
)


def introspection(language: str, text: str, before: str) -> str:
    """What in `text` and not in `before` reaches beyond the program, in a few words; empty where nothing does."""
    if language == "java":
        added = set(JAVA.findall(text)) - set(JAVA.findall(before))
    else:
        added = set(_found(text)) - set(_found(before))
    return ", ".join(sorted(added))[:200]


def _found(text: str) -> Iterator[str]:
    try:
        nodes = list(ast.walk(tree_of(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield "text that cannot be read"
        return
    for node in nodes:
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [f"import {each.name}" for each in node.names if each.name.partition(".")[0] not in MODULES]
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").partition(".")[0]
            names = [] if module in MODULES and not node.level else [f"import {node.module}"]
        elif isinstance(node, ast.Name):
            names = [node.id]
        elif isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, ast.arg):
            names = [node.arg]
        elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            shown = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            names = [word for word in re.findall(r"/proc|/dev|\w+", shown) if word in NAMES or word.startswith("/")]
            names += [word for word in re.findall(r"__\w+", shown) if word not in DUNDERS]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            names = [] if isinstance(node.func.value, ast.Constant) else ["a format that is computed"]
        for name in (unicodedata.normalize("NFKC", name) for name in names):
            is_special = name.startswith("__") and name not in DUNDERS
            if is_special or name in NAMES or " " in name or name.startswith("/"):
                yield name
