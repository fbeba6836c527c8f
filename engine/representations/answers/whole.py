"""An answer that holds the whole function: among others, in a class, renamed, or without what is above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.domain import lines_of
from engine.languages.source import Source, indent_of, source
from engine.representations.answers.functions import Written, identifiers, written_in
from engine.representations.answers.lines import alike
from engine.representations.answers.place import Place

_ENOUGH = 0.5  # how alike a function has to be that has another name
_MOST_HEADS = 12
_LONGEST_HEAD = 300  # characters of a line in which a function may begin
_BRACE_TEXT = re.compile(
    r'"(?:\\.|[^"\\\n]){0,500}"|' + r"'(?:\\.|[^'\\\n]){0,20}'|//[^\n]*|/\*(?:[^*]|\*(?!/)){0,5000}\*/|[{}]"
)
_ABOVE = re.compile(r"[ \t]*(?:@\w|/\*\*?|\*|//|#|(?:public|private|protected|static|final|abstract|template)\b)")


@dataclass(frozen=True)
class Found:
    """The function in a piece of an answer."""

    written: Written
    read: Source  # the piece
    code: str  # as it is to stand in the file
    is_renamed: bool


def found_in(text: str, place: Place) -> Iterator[Found]:
    """The functions of a piece of code that may be the one that is asked for, the likeliest first."""
    read = source(text, place.bug.language)
    asked = place.function
    assert asked is not None
    written = [each for each in written_in(read) if each.name]
    named = [each for each in written if each.name == asked.name and not _is_other(each, place)]
    if not written and read.language.name == "java" and asked.name in asked.within:
        read = source(f"class {asked.name} {{\n{text}\n}}\n", read.language.name)  # a constructor is none elsewhere
        named = written = [each for each in written_in(read) if each.name == asked.name]
    for each in sorted(named, key=lambda each: _order(each, asked)):
        yield Found(each, read, _code(each, read, place), is_renamed=False)
    if named:
        return
    mine, known = "".join(place.lines), {each.name for each in written_in(source(place.bug.buggy, place.bug.language))}
    likeness = [
        (alike("".join(read.lines[each.span.start - 1 : each.span.end]), mine), -number, each)
        for number, each in enumerate(written)
        if each.name not in known and len(each.types) == len(asked.types) and not each.name.startswith(("test", "main"))
    ]
    for degree, _, each in sorted(likeness, key=lambda one: one[:2], reverse=True)[:1]:
        if degree >= _ENOUGH:
            changed, again = _renamed(each, read, asked.name)
            yield Found(again, changed, _code(again, changed, place), is_renamed=True)


def _order(each: Written, asked: Written) -> tuple[bool, bool, bool, int]:
    is_elsewhere = bool(each.within and asked.within and each.within[-1] != asked.within[-1])
    return (
        is_elsewhere,
        each.types != asked.types,
        each.has_error,
        -each.start,
    )  # of two definitions the last one counts


def _is_other(each: Written, place: Place) -> bool:
    """Whether it is another one of the file's functions of this name: of another class, or with other parameters."""
    asked = place.function
    assert asked is not None
    is_of = [
        written
        for written in written_in(source(place.bug.buggy, place.bug.language))
        if written.name == each.name
        and written.types == each.types
        and (not each.within or each.within[-1:] == written.within[-1:])
    ]
    return bool(is_of) and all(written.span != asked.span for written in is_of)


def _renamed(written: Written, read: Source, name: str) -> tuple[Source, Written]:
    """The piece with the function's own name, wherever it stands in the function."""
    code = "".join(read.lines).encode("utf-8", "surrogatepass")
    made, done = b"", 0
    for start, end, text in sorted(identifiers(read)):
        if written.start <= start and end <= written.end and text == written.name:
            made += code[done:start] + name.encode("utf-8", "surrogatepass")
            done = end
    changed = Source((made + code[done:]).decode("utf-8", "surrogatepass"), read.language.name)
    again = next((each for each in written_in(changed) if each.name == name), None)
    return changed, again or replace(written, name=name)


def _code(written: Written, read: Source, place: Place) -> str:
    """The lines of the function with the indent that it has in the file, and with what is above it there."""
    rows = read.lines[written.span.start - 1 : written.span.end]
    whole = "".join(read.lines).encode("utf-8", "surrogatepass")
    before = whole[: written.start].rpartition(b"\n")[2]
    after = whole[written.end :].partition(b"\n")[0].strip()
    is_alone = not before.strip() and not (after and not after.startswith((b"//", b"#", b"/*")))
    indent = indent_of(place.lines)
    if is_alone or not place.stands_alone:
        moved = lines_of(read.moved(indent_of(rows), indent))[written.span.start - 1 : written.span.end]
        lifted = [line if line.startswith(indent) or not line.strip() else indent + line.lstrip() for line in rows]
        known = set(place.lines)  # where the first line alone lost its indent, the others stand as in the file
        code = "".join(max(moved, lifted, key=lambda lines: sum(line in known for line in lines)))
    else:
        code = indent + whole[written.start : written.end].decode("utf-8", "surrogatepass")
    return _with_head(code, written, place)


def _with_head(code: str, written: Written, place: Place) -> str:
    """With the decorators, annotations and modifiers of the file where the answer has none and they are not faulty."""
    asked = place.function
    assert asked is not None
    n_lines = asked.head.count("\n") + (not asked.head.endswith("\n"))
    is_faulty = place.fault.start < place.bug.span.start + n_lines
    if not asked.head or is_faulty:
        return code
    indent = indent_of(place.lines)
    if not written.head:
        head = asked.head.replace("\n", f"\n{indent}") if asked.head.endswith("\n") else f"{asked.head} "
        return indent + head + code.removeprefix(indent)
    notes = [line.strip() for line in lines_of(asked.head) if line.strip().startswith("@")]
    if "@" in written.head or not asked.head.lstrip().startswith("@") or not all(map(_is_note, notes)):
        return code
    return "".join(f"{indent}{each}\n" for each in notes) + code


def _is_note(line: str) -> bool:
    """Whether a line is one annotation and nothing else."""
    return re.fullmatch(r"@[\w.]+(?:\([^()]{0,200}\))?", line) is not None


def parts_of(text: str, place: Place, name: str | None) -> Iterator[str]:
    """The parts of a text that may be a function of this name, or any, found by their first line and their layout."""
    lines = lines_of(text)
    is_python = not place.function or place.bug.language == "python"
    word = re.escape(name) if name else r"\w{1,100}"
    head = re.compile(
        rf"[ \t]*(?:async[ \t]+)?def[ \t]+{word}[ \t]*[(\[]" if is_python else rf"(?:.*\W)?{word}[ \t]*\("
    )
    heads = 0
    for row, line in enumerate(lines):
        if heads == _MOST_HEADS:
            return
        if len(line) > _LONGEST_HEAD or not head.match(line):
            continue
        last: int | None
        if is_python:
            last = _end_of_block(lines, row)
        elif place.function and (name or _may_begin(line)):
            last = _end_of_braces(lines, row)
        else:
            continue
        if last is not None:
            heads += 1
            first = row
            while first and _ABOVE.match(lines[first - 1]):
                first -= 1
            yield "".join(lines[first:last])


def _may_begin(line: str) -> bool:
    words = re.split(r"\W+", line.partition("(")[0].strip())
    return len(words) > 1 and words[0] not in (
        "if",
        "for",
        "while",
        "switch",
        "return",
        "else",
        "new",
        "throw",
        "catch",
    )


def _end_of_block(lines: list[str], row: int) -> int:
    """The row behind a function of Python."""
    indent = len(indent_of([lines[row]]).expandtabs())
    depth, last = 0, row + 1
    for at in range(row, len(lines)):
        line = lines[at]
        if at > row and not depth and line.strip() and len(indent_of([line]).expandtabs()) <= indent:
            break
        depth = max(0, depth + sum(map(line.count, "([{")) - sum(map(line.count, ")]}")))
        last = at + 1 if line.strip() else last
    return last


def _end_of_braces(lines: list[str], row: int) -> int | None:
    """The row behind a function with braces; the last row where they stay open, None where none is opened at once."""
    depth, is_open = 0, False
    for at in range(row, len(lines)):
        for mark in _BRACE_TEXT.finditer(lines[at][:2000]):
            if mark[0] in "{}":
                is_open = True
                depth += 1 if mark[0] == "{" else -1
                if depth <= 0:
                    return at + 1
        if not is_open and (at > row + 5 or lines[at].rstrip().endswith((";", "."))):
            return None
    return len(lines) if is_open else None
