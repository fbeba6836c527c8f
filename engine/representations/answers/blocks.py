"""The pieces of an answer that may be code: fenced blocks, tags, values of JSON, and the text between them.

Fences are those of CommonMark 0.31, section 4.5, and what models make of them: never closed, opened twice, closed
behind the last statement, in lists and quotations. Each line is looked at once.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from engine.domain import lines_of

ALIASES = {
    "python": frozenset(["python", "py", "python3", "py3", "pycon", "ipython", "sage"]),
    "java": frozenset(["java", "java8", "java11", "java17", "java21", "jsh"]),
    "c": frozenset(["c", "h", "c99", "c11", "ansi-c", "cpp", "c++", "cc"]),
}
DIFFS = frozenset(["diff", "patch", "udiff"])
NO_CODE = frozenset(
    [
        "sh",
        "bash",
        "shell",
        "zsh",
        "console",
        "terminal",
        "cmd",
        "powershell",
        "text",
        "txt",
        "plaintext",
        "output",
        "log",
    ]
)
_OTHERS = frozenset(
    [
        "javascript",
        "js",
        "typescript",
        "ts",
        "go",
        "rust",
        "kotlin",
        "scala",
        "csharp",
        "cs",
        "ruby",
        "php",
        "swift",
        "code",
        "json",
        "xml",
        "html",
        "yaml",
        "md",
    ]
)
_TAGS = DIFFS | NO_CODE | _OTHERS | frozenset(each for names in ALIASES.values() for each in names)
_FENCE = re.compile(
    r"(?P<before>(?:[ \t]*(?:>|[-*+](?=[ \t])|\d{1,3}[.)](?=[ \t]))){0,4}[ \t]*)"
    r"(?P<fence>`{3,}|~{3,}|'''(?=[A-Za-z]+\d?[ \t]*$|[ \t]*$))[ \t]*(?P<info>[^`\n]*)$"
)
_WORD = re.compile(r"[ \t]*[\w+#.-]{0,30}[ \t]*$")
_QUOTED = re.compile(r"[ \t]*>[ \t]?")
_ELEMENT = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z_][\w-]{0,30})(?:\s[^<>\n]{0,200})?>")
_BRACKETED = re.compile(r"\[(?P<close>/?)(?P<name>PYTHON|JAVA|C|CODE|PATCH|ANSWER|FIX|BEGIN|DONE|SOLUTION)\]")
_LATEX = re.compile(
    r"\\(?P<close>begin|end)\{(?P<name>verbatim|lstlisting|minted|code)\}(?:\[[^\]\n]{0,100}\]|\{\w*\})*"
)
_MOST_FENCED = 1000  # blocks; what is behind them is text
_LONGEST_JSON = 1 << 20
_BLOCK = "\f"  # a line of the text where a block was
_SEEN_ABOVE = 2  # lines above a block that say what it is


@dataclass(frozen=True)
class Block:
    """A piece of an answer. `where`: fence, open_fence, tag, open_tag, json, bare."""

    where: str
    text: str
    tag: str = ""  # the first word behind a fence, or the name of a tag, in small letters
    before: str = ""  # the text right above it
    first: int = 0  # its lines in the text, the fences not counted
    after: int = 0

    @property
    def may_be_cut(self) -> bool:
        """Whether the answer may have ended inside it."""
        return self.where in ("open_fence", "open_tag", "bare")


def fenced(text: str) -> tuple[list[Block], str]:
    """The fenced blocks, and the text without them."""
    lines = [line.removesuffix("\n") for line in lines_of(text)]
    blocks: list[Block] = []
    rest: list[str] = []
    opened: tuple[str, str, str, int] | None = None  # fence, what is before it, word behind it, row
    for row, line in enumerate(lines):
        found = _FENCE.match(line)
        if opened is None and len(blocks) == _MOST_FENCED:
            rest += lines[row:]
            break
        if opened is None:
            opened = _opened(line, found, row, blocks, rest)
            continue
        fence, before, tag, first = opened
        end, is_next = _closed(line, found, fence)
        if end is None:
            continue
        body = [*lines[first:row], end] if end else lines[first:row]
        if is_next and not "".join(body).strip():  # opened twice, the second time with its language
            opened = (fence, before, _word(found), row + 1)
            continue
        blocks.append(_block("fence", body, before, tag, rest, first, row))
        opened = None
        if is_next and found:
            opened = (found["fence"], found["before"], _word(found), row + 1)
    if opened:
        blocks.append(_block("open_fence", lines[opened[3] :], *opened[1:3], rest, opened[3], len(lines)))
    return blocks, "\n".join(rest)


def _opened(
    line: str, found: re.Match[str] | None, row: int, blocks: list[Block], rest: list[str]
) -> tuple[str, str, str, int] | None:
    """The fence that a line opens; a line that opens none is text, or a block of its own."""
    if found and (found["fence"] != "'''" or found["info"].strip()):
        return found["fence"], found["before"], _word(found), row + 1
    n_fences = line.count("```")
    said, _, behind = line.partition("```")
    if n_fences == 1 and _WORD.match(behind):  # behind a sentence
        rest.append(said)
        return "```", "", behind.strip().lower(), row + 1
    if n_fences == 2:
        rest.append(said)
        blocks.append(_block("fence", [behind.partition("```")[0]], "", "", rest, row, row + 1))
        return None
    rest.append(line)
    return None


def _closed(line: str, found: re.Match[str] | None, fence: str) -> tuple[str | None, bool]:
    """What of a line belongs to the block that it closes, None where it closes none; and whether it opens the next."""
    if found and found["fence"][0] == fence[0] and len(found["fence"]) >= len(fence):
        is_next = _word(found) in _TAGS
        return "", is_next
    if fence == "```" and line.rstrip().endswith("```") and line.count("```") == 1:
        return line.rstrip().removesuffix("```"), False
    return None, False


def _word(found: re.Match[str] | None) -> str:
    words = found["info"].strip("{. \t").lower().split(maxsplit=1) if found else []
    return words[0].partition(":")[0].rstrip("},") if words else ""


def _block(where: str, lines: Sequence[str], before: str, tag: str, rest: list[str], first: int, after: int) -> Block:
    if ">" in before:
        lines = [_QUOTED.sub("", line, count=1) for line in lines]
    above: list[str] = []
    for line in reversed(rest[-2 * _SEEN_ABOVE :]):
        if line == _BLOCK or len(above) == _SEEN_ABOVE:
            break
        above += [line] if line.strip() else []
    rest.append(_BLOCK)
    return Block(where, "".join(f"{line}\n" for line in lines), tag, "\n".join(reversed(above))[-400:], first, after)


def joined(text: str, blocks: Sequence[Block], most: int, longest: int) -> Iterator[Block]:
    """Up to `most` fenced blocks that follow one another as one, with the fences between them.

    Those fences may be inside the code's docstring. At most `longest` lines become one block.
    """
    lines = lines_of(text)
    for at, first in enumerate(blocks):
        for last in blocks[at + 1 : at + most]:
            if last.after - first.first <= longest:
                whole = "".join(lines[first.first : last.after])
                yield replace(first, text=whole, where=last.where, after=last.after)


def tagged(text: str, longest: int) -> Iterator[Block]:
    """What stands between tags of XML or HTML, [PYTHON] and [/PYTHON], or environments of LaTeX.

    At most `longest` characters are between them.
    """
    for pattern in (_ELEMENT, _BRACKETED, _LATEX):
        opened: dict[str, int] = {}
        for tag in pattern.finditer(text):
            name = tag["name"].lower()
            is_end = tag["close"] in ("/", "end") or name == "done"
            name = "begin" if name == "done" else name
            if not is_end:
                opened.setdefault(name, tag.end())
            elif name in opened:
                start = opened.pop(name)
                if tag.start() - start <= longest:
                    yield _tagged("tag", text, start, tag.start(), name)
        for name, start in list(opened.items())[:3]:
            if len(text) - start <= longest:
                yield _tagged("open_tag", text, start, len(text), name)


def _tagged(where: str, text: str, start: int, end: int, name: str) -> Block:
    code = text[start:end].removeprefix("\n").replace("<![CDATA[", "").replace("]]>", "")
    if "<" not in code and "&" in code:
        code = html.unescape(code)
    above = text[max(0, start - 300) : start].rpartition("\n\n")[2]
    return Block(where, code if code.endswith("\n") else f"{code}\n", name, above)


def quoted(text: str) -> Iterator[Block]:
    """The texts in an object of JSON."""
    start = text.find("{")
    if not 0 <= start < 200 or len(text) > _LONGEST_JSON:
        return
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return
    values = list(found.items()) if isinstance(found, dict) else []
    for name, value in [*values, *(pair for _, inner in values if isinstance(inner, dict) for pair in inner.items())]:
        if isinstance(value, str) and value.strip():
            yield Block("json", value if value.endswith("\n") else f"{value}\n", str(name).lower()[:40], str(name)[:40])


def inline(text: str) -> Iterator[tuple[str, str]]:
    """Pieces of code inside a line of text, each with the words between it and the one before."""
    for line in lines_of(text):
        parts = line.split("`")
        if 3 <= len(parts) <= 40 and len(parts) % 2:
            yield from ((parts[at], parts[at - 1]) for at in range(1, len(parts), 2))
