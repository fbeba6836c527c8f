"""What a Python text uses beyond plain computing: all that could reach what no expression of its own names.

Whatever a program reaches, it reaches by an import, by a builtin, by an attribute or by a special method, so these four
are looked at, and each but the third has a list of what is plain.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator, Mapping

from engine.languages.python_syntax import tree_of

ALL = ""  # of a module's names: those that do not begin with an underscore; none of these modules shows another one
MODULES: Mapping[str, str] = {
    **dict.fromkeys(("array", "bisect", "cmath", "collections.abc", "decimal", "heapq", "itertools"), ALL),
    **dict.fromkeys(("math", "random", "time", "unicodedata"), ALL),
    "__future__": "annotations",
    "abc": "ABC abstractmethod",
    "calendar": "day_abbr day_name isleap leapdays month_abbr month_name monthcalendar monthrange timegm weekday",
    "collections": "abc ChainMap Counter OrderedDict UserDict UserList UserString defaultdict deque namedtuple",
    "copy": "copy deepcopy",
    "dataclasses": "asdict astuple dataclass field replace",
    "datetime": "MAXYEAR MINYEAR UTC date datetime time timedelta timezone",
    "fractions": "Fraction",
    "functools": "cache cached_property cmp_to_key lru_cache partial reduce total_ordering",
    "hashlib": "blake2b blake2s md5 new sha1 sha224 sha256 sha384 sha3_256 sha512",
    "html": "escape unescape",
    "json": "JSONDecodeError dumps loads",
    "numbers": "Complex Integral Number Rational Real",
    "operator": "add and_ concat contains eq floordiv ge getitem gt index invert is_ is_not itemgetter le lshift lt mod"
    " mul ne neg not_ or_ pos pow rshift setitem sub truediv truth xor",
    "os": "linesep path sep",
    "os.path": "basename commonpath commonprefix dirname isabs join normpath relpath sep split splitext",
    "posixpath": "basename commonpath commonprefix dirname isabs join normpath relpath sep split splitext",
    "re": "A ASCII DOTALL I IGNORECASE M MULTILINE Match Pattern S U UNICODE VERBOSE X compile error escape findall"
    " finditer fullmatch match search split sub subn",
    "shlex": "join quote split",
    "statistics": "fmean geometric_mean harmonic_mean mean median median_high median_low mode multimode pstdev"
    " pvariance quantiles stdev variance",
    "string": "Template ascii_letters ascii_lowercase ascii_uppercase capwords digits hexdigits octdigits printable"
    " punctuation whitespace",
    "sys": "maxsize",
    "textwrap": "dedent fill indent shorten wrap",
    "typing": "AbstractSet Any Callable ClassVar Collection Counter DefaultDict Deque Dict Final FrozenSet Generator"
    " Generic Hashable Iterable Iterator List Literal Mapping MutableMapping MutableSequence NamedTuple Optional"
    " OrderedDict Protocol Self Sequence Set Sized Tuple TypeVar Union cast overload",
    "urllib": "parse",
    "urllib.parse": "parse_qs parse_qsl quote quote_plus unquote unquote_plus urlencode urljoin urlparse urlsplit"
    " urlunparse urlunsplit",
}
# Builtins that reach by a name that is computed, read files, end the process or pass all `except Exception`.
BUILTINS = {
    *("BaseException", "BaseExceptionGroup", "GeneratorExit", "KeyboardInterrupt", "SystemExit", "breakpoint"),
    *("compile", "copyright", "credits", "delattr", "dir", "eval", "exec", "exit", "getattr", "globals", "help"),
    *("input", "license", "locals", "memoryview", "open", "quit", "setattr", "vars"),
}
# Public attributes that lead to frames, code, classes and modules, or to files.
ATTRIBUTES = {
    *("ag_await", "ag_code", "ag_frame", "co_code", "co_consts", "co_names", "cr_await", "cr_code", "cr_frame"),
    *("cr_origin", "f_back", "f_builtins", "f_code", "f_globals", "f_lineno", "f_locals", "f_trace", "format_map"),
    *("getrepr", "gi_code", "gi_frame", "gi_yieldfrom", "mro", "tb", "tb_frame", "tb_next", "traceback"),
    *("with_traceback", "ABCMeta", "EnumMeta", "EnumType", "attrgetter", "builtins", "ctypes", "gc"),
    *("get_type_hints", "importlib", "inspect", "make_dataclass", "methodcaller", "modules", "multiprocessing"),
    *("new_class", "pluginmanager", "setattr", "delattr", "os", "pathlib", "pytest", "shutil", "signal", "subprocess"),
    *("sys", "threading", "types", "unittest", "update_wrapper", "wraps"),
    *("hardlink_to", "open", "read_bytes", "read_text", "symlink_to"),
    *("unlink", "write_bytes", "write_text"),
}
# What a test's own objects keep of how they were called.
SEEN = {
    *("call_args", "call_args_list", "call_count", "called", "mock_calls", "return_value", "side_effect"),
}
# Special methods that a class may have: none of them decides whether two values are the same.
SPECIAL = {
    *("__add__", "__delitem__", "__doc__", "__enter__", "__exit__", "__getitem__", "__init__", "__iter__"),
    *("__len__", "__mul__", "__name__", "__neg__", "__next__", "__post_init__", "__repr__", "__setitem__"),
    *("__str__", "__sub__"),
}


def found_in(text: str, more: Mapping[str, str]) -> Iterator[str]:
    """In a few words each; what is the same in two texts is used in the same way. `more`: further plain modules."""
    try:
        # Bytes, as the interpreter reads them: a line at the top may name an encoding in which comments are code.
        yield from [*_Seen(tree_of(text.encode()), {**MODULES, **more}).found()]
    except (SyntaxError, ValueError, RecursionError, MemoryError, LookupError):
        yield "text that cannot be read"


def names_of(text: str) -> list[str]:
    """What a module has on its top level that is its own; nothing that it imports. Raises SyntaxError."""
    body = tree_of(text.encode()).body
    named = [node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    assigned = [node for each in body if isinstance(each, ast.Assign | ast.AnnAssign) for node in ast.walk(each)]
    stored = [each.id for each in assigned if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
    return [*dict.fromkeys([*named, *stored])]


class _Seen:
    """One text: where each node stands, and which names are modules."""

    def __init__(self, tree: ast.Module, plain: Mapping[str, str]) -> None:
        self._plain = {module: frozenset(names.split()) for module, names in plain.items()}
        self._nodes = [*ast.walk(tree)]
        self._above = {id(child): node for node in self._nodes for child in ast.iter_child_nodes(node)}
        self._modules: dict[str, set[str]] = {}  # name -> modules that it may be
        for node in self._nodes:
            for each in node.names if isinstance(node, ast.Import) else ():
                whole = each.name if each.asname else each.name.partition(".")[0]
                self._modules.setdefault(each.asname or whole, set()).add(whole)
            if isinstance(node, ast.ImportFrom):
                for each in node.names:
                    if f"{node.module}.{each.name}" in self._plain and not node.level:
                        self._modules.setdefault(each.asname or each.name, set()).add(f"{node.module}.{each.name}")

    def found(self) -> Iterator[str]:
        for node in self._nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from self._imported(node)
            elif isinstance(node, ast.Name):
                yield from self._named(node)
            elif isinstance(node, ast.Attribute):
                yield from self._attribute(node)
            elif isinstance(node, ast.MatchClass):
                yield from (name for name in node.kwd_attrs if name.startswith("_") or name in ATTRIBUTES)
            elif isinstance(node, ast.Constant):
                yield from _written(node.value)
            elif isinstance(node, ast.BinOp):
                # Neither an honest program nor any other needs to make dunder text of pieces: no list above takes it.
                pieces = [each.value for each in (node.left, node.right) if isinstance(each, ast.Constant)]
                if len(pieces) == 2 and any(isinstance(each, str) and each.strip("_") == "" != each for each in pieces):
                    yield "underscores that are put together"
            for field in ("name", "asname", "rest", "arg"):  # what else binds a name
                name = getattr(node, field, None)
                if isinstance(name, str) and _is_special(name):
                    above = self._above[id(node)]
                    yield f"{above.name}.{name}" if isinstance(above, ast.ClassDef) else name
                elif name == "metaclass" and field == "arg":
                    yield name

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        for each in node.names:
            if isinstance(node, ast.Import):
                if each.name not in self._plain:
                    yield f"import {each.name}"
            elif node.level or not self._is_plain(node.module or "", each.name):
                yield f"from {'.' * node.level}{node.module or ''} import {each.name}"

    def _is_plain(self, module: str, name: str) -> bool:
        """Whether a module may be asked for it."""
        names = self._plain.get(module)
        return names is not None and (name in names or not names) and not name.startswith("_") and name != "*"

    def _named(self, node: ast.Name) -> Iterator[str]:
        above = self._above[id(node)]
        if _is_special(node.id):
            yield node.id
        elif node.id in BUILTINS:
            # As it is called there, word for word.
            yield ast.unparse(above if isinstance(above, ast.Call) and above.func is node else node)
        elif node.id == "type" and not self._asks_only(node, above):
            yield ast.unparse(above if isinstance(above, ast.expr) else node)
        elif node.id in self._modules and isinstance(node.ctx, ast.Load) and not isinstance(above, ast.Attribute):
            yield f"the module {node.id} as a value"

    def _asks_only(self, node: ast.Name, above: ast.AST) -> bool:
        """Whether `type` only says what something is: type(x) is compared, shown, or asked for its name."""
        if not isinstance(above, ast.Call) or above.func is not node or len(above.args) != 1 or above.keywords:
            return False
        user = self._above[id(above)]
        if isinstance(user, ast.Call) and isinstance(user.func, ast.Name):
            return user.func.id in ("isinstance", "issubclass", "str", "repr") and above in user.args
        is_name = isinstance(user, ast.Attribute) and user.attr == "__name__"
        return is_name or isinstance(user, ast.Compare | ast.FormattedValue)

    def _attribute(self, node: ast.Attribute) -> Iterator[str]:
        name, of, above = node.attr, node.value, self._above[id(node)]
        if not isinstance(above, ast.Attribute):
            yield from (f"the module {module} as a value" for module in self._called(node) if module in self._plain)
        is_own = isinstance(of, ast.Name) and of.id in ("self", "cls") and not name.endswith("__")
        is_super = isinstance(of, ast.Call) and isinstance(of.func, ast.Name) and of.func.id == "super"
        if modules := self._called(of):
            for module in modules:
                is_read = isinstance(node.ctx, ast.Load)
                if not is_read or not (self._is_plain(module, name) or f"{module}.{name}" in self._plain):
                    yield f"{'' if is_read else 'a changed '}{module}.{name}"
        elif name.startswith("__") and not is_own:
            if name != "__name__" and not (is_super and name in SPECIAL):
                yield ast.unparse(node)  # word for word
        elif name.startswith("_") and not is_own:
            yield f"another's {name}"
        elif name in ATTRIBUTES or (not is_own and (name in SEEN or _is_changed_assertion(node))):
            yield f".{name}"
        elif name == "format" and not self._is_plain_format(node, above):
            yield f"{ast.unparse(node)} that is computed"

    def _called(self, node: ast.expr) -> set[str]:
        """The modules that an expression may be: a name that is imported, or an attribute of one."""
        if isinstance(node, ast.Name):
            return self._modules.get(node.id, set())
        if isinstance(node, ast.Attribute):
            inner = {f"{module}.{node.attr}" for module in self._called(node.value)}
            return {module for module in inner if module in self._plain}
        return set()

    def _is_plain_format(self, node: ast.Attribute, above: ast.AST) -> bool:
        """Whether all that a format can reach stands among its arguments."""
        is_called = isinstance(above, ast.Call) and above.func is node
        text = node.value.value if isinstance(node.value, ast.Constant) else None
        if not is_called or not isinstance(text, str):
            return False
        try:
            fields = [(name or "", spec or "") for _, name, spec, _ in string.Formatter().parse(text)]
        except ValueError:
            return True  # it raises there too
        return all(re.fullmatch(r"\w*", name) and re.fullmatch(r"([^{}]|\{\w*\})*", spec) for name, spec in fields)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name not in SPECIAL and (name.endswith("__") or name.startswith("___"))


def _is_changed_assertion(node: ast.Attribute) -> bool:
    return node.attr.startswith("assert") and not isinstance(node.ctx, ast.Load)


def _written(value: object) -> Iterator[str]:
    """What a constant text names that no text of an honest program does."""
    shown = value.decode("latin-1") if isinstance(value, bytes) else value
    if isinstance(shown, str):
        yield from (word for word in re.findall(r"__\w+", shown) if word not in SPECIAL)
        yield from re.findall(r"(?<![\w.])/(?:proc|dev)\b", shown)
