"""A parsed source file: its functions, and its lines without comments, docstrings and blank lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from engine.domain import Span, lines_of
from engine.languages import language

if TYPE_CHECKING:
    from tree_sitter import Language as Grammar
    from tree_sitter import Node, Query, Tree

Cut = tuple[int, int, int]  # row, first byte, byte after the last; rows from 0, bytes from the row's start


@dataclass(frozen=True)
class Function:
    """A function or method that is not inside another function; its span includes decorators and annotations."""

    name: str
    span: Span
    has_error: bool = False  # some part of it could not be parsed


@cache
def grammar(name: str) -> Grammar:
    """The tree-sitter grammar of a language. Raises UserError for an unknown language."""
    import tree_sitter

    return tree_sitter.Language(import_module(language(name).grammar).language())


@cache
def _query(name: str) -> Query:
    import tree_sitter

    return tree_sitter.Query(grammar(name), language(name).query)


def parse(code: bytes, name: str) -> Tree:
    """The syntax tree of `code`; faulty code gives a tree with error nodes, never an exception."""
    import tree_sitter

    return tree_sitter.Parser(grammar(name)).parse(code)


def indent_of(lines: Iterable[str]) -> str:
    """Spaces and tabs before the first line that is not blank."""
    first = next((line for line in lines if line.strip()), "")
    return first[: len(first) - len(first.lstrip(" \t"))]


@lru_cache(maxsize=8)
def source(text: str, name: str) -> Source:
    """`Source(text, name)` with a small cache, since one bug's file is needed several times."""
    return Source(text, name)


class Source:
    """A parsed file. Raises UserError for an unknown language; code with syntax errors is parsed as far as possible."""

    def __init__(self, text: str, name: str) -> None:
        self.lines = lines_of(text)
        self._text = text
        self.language = language(name)

    @cached_property
    def _code(self) -> bytes:
        return self._text.encode("utf-8", "surrogatepass")

    @cached_property
    def _tree(self) -> Tree:
        return parse(self._code, self.language.name)

    @cached_property
    def _found(self) -> dict[str, list[Node]]:
        """Comments, docstrings and strings; empty without parsing if a quick check finds none."""
        import tree_sitter

        if not self.language.may_have_comments(self._text):
            return {}
        return tree_sitter.QueryCursor(_query(self.language.name)).captures(self._tree.root_node)

    @property
    def root(self) -> Node:
        """The root of the syntax tree."""
        return self._tree.root_node

    @property
    def has_error(self) -> bool:
        """Whether some part could not be parsed; the grammar may not know the newest syntax of the language."""
        return self.root.has_error

    @cached_property
    def functions(self) -> list[Function]:
        """In the order of the file; functions inside functions belong to the outer one."""
        found = []
        waiting = [self._tree.root_node]
        while waiting:
            node = waiting.pop()
            if node.type in self.language.functions:
                found.append(_function(node))
            else:
                waiting.extend(reversed(node.named_children))
        return found

    def enclosing(self, span: Span) -> Span | None:
        """The lines of the function that contains all of `span`, or None.

        A gap before a function is outside; a gap right after it is inside if functions do not end with a bracket.
        """
        is_gap = span.end < span.start
        first = span.start - 1 if is_gap else span.start  # the lines that must be in the function
        last = span.start if is_gap and self.language.brackets else span.end
        for function in self.functions:
            if function.span.start <= first and last <= function.span.end:
                return function.span
        return None

    @cached_property
    def bare_lines(self) -> list[str | None]:
        """Each line without its comments and docstrings; None if nothing is left of a line.

        Blank lines and `#` inside a string are kept. A docstring that is a body's only statement is kept, since the
        code would not parse without it.
        """
        cuts: dict[int, list[Cut]] = {}
        for node in self._found.get("comment", []) + self._documentation():
            for cut in self._cuts(node):
                cuts.setdefault(cut[0], []).append(cut)
        inside = self.rows_inside_strings
        bare: list[str | None] = []
        for number, line in enumerate(self.lines):
            if number in cuts:
                bare.append(_without(line, sorted(cuts[number])))
            elif line.strip() or number in inside or (bare and (bare[-1] or "").rstrip("\r\n").endswith("\\")):
                bare.append(line)
            else:
                bare.append(None)
        return bare

    def moved(self, old: str, new: str) -> str:
        """The text with `new` in the place of the indent `old`; blank lines and lines inside a string are not moved."""
        inside = self.rows_inside_strings
        return "".join(
            new + line.removeprefix(old) if line.strip() and number not in inside and line.startswith(old) else line
            for number, line in enumerate(self.lines)
        )

    def bare_function(self, function: Function) -> str:
        """A function's bare lines, moved to column 0 (lines inside a string are not moved)."""
        first, last = function.span.start - 1, function.span.end
        indent = indent_of([self.lines[first]])
        inside = self.rows_inside_strings
        return "".join(
            line if number in inside else line.removeprefix(indent)
            for number, line in enumerate(self.bare_lines[first:last], first)
            if line is not None
        )

    def _documentation(self) -> list[Node]:
        return [node for node in self._found.get("doc", []) if self._stands_alone(node)]

    def _stands_alone(self, node: Node) -> bool:
        before = self._code[node.start_byte - node.start_point.column : node.start_byte]
        parent, after = node.parent, node.next_sibling
        has_others = parent is not None and any(
            child.type != "comment" and child.id != node.id for child in parent.named_children
        )
        shares_its_line = after is not None and after.type != "comment" and after.start_point.row == node.end_point.row
        return not before.strip() and has_others and not shares_its_line

    @cached_property
    def rows_inside_strings(self) -> set[int]:
        """The rows, from 0, that begin inside a string."""
        inside: set[int] = set()
        for node in self._found.get("string", []):
            first, last = node.start_point.row, node.end_point.row
            if first != last:
                inside.update(range(first + 1, last + 1))
        return inside

    def _cuts(self, node: Node) -> list[Cut]:
        first, last = node.start_point, node.end_point
        if first.row == last.row:
            return [(first.row, first.column, last.column)]
        whole = [(row, 0, 1 << 60) for row in range(first.row + 1, last.row)]
        return [(first.row, first.column, 1 << 60), *whole, (last.row, 0, last.column)]


def _function(node: Node) -> Function:
    parent, name = node.parent, node.child_by_field_name("name")
    inner = node.child_by_field_name("declarator")  # of C: the name stands inside *, (...) and [...]
    while name is None and inner is not None:
        name = inner if inner.type == "identifier" else None
        named = (each for each in inner.named_children if each.type.endswith(("declarator", "identifier")))
        inner = inner.child_by_field_name("declarator") or next(named, None)
    first = parent if parent is not None and parent.type == "decorated_definition" else node
    text = (name.text or b"").decode("utf-8", "replace") if name is not None else ""
    return Function(text, Span(first.start_point.row + 1, node.end_point.row + 1), node.has_error)


def _without(line: str, cuts: list[Cut]) -> str | None:
    row = line.encode("utf-8", "surrogatepass")
    body = row.rstrip(b"\r\n")
    end = row[len(body) :]
    kept, position = b"", 0
    for _, first, after in cuts:
        kept = _joined(kept, body[position:first])
        position = max(position, after)
    kept = _joined(kept, body[position:]).rstrip()
    return (kept + end).decode("utf-8", "surrogatepass") if kept else None


def _joined(left: bytes, right: bytes) -> bytes:
    if left and right and not left[-1:].isspace() and not right[:1].isspace():
        return left + b" " + right  # `int/* */x` must not become `intx`
    return left + right
