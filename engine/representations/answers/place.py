"""What an answer is to write anew: the function that holds the fault, or the whole file where no function does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from engine.domain import Bug, Span, lines_of
from engine.languages import language
from engine.languages.source import indent_of, source
from engine.representations.answers.functions import Written, written_in
from engine.representations.line_ends import as_in_file, plain

BEGINS, ENDS = "fault begins", "fault ends"


@dataclass(frozen=True)
class Place:
    """The lines of one function or of the whole file."""

    bug: Bug  # with the span of all this
    fault: Span  # the faulty lines of the file
    function: Written | None  # None: the file

    @property
    def what(self) -> str:
        return "file" if self.function is None else f"function `{self.function.name}`"

    @property
    def marks(self) -> tuple[str, str]:
        """The two comments that a question has around the faulty lines."""
        marker = language(self.bug.language).marker
        return f"{marker} {BEGINS}", f"{marker} {ENDS}"

    @property
    def lines(self) -> list[str]:
        r"""Its lines as they stand, ended with "\n" alone."""
        return lines_of(plain(self.bug.buggy_lines))

    @property
    def faulty(self) -> tuple[int, int]:
        """The faulty lines as indices of `lines`, the second behind the last; equal ones are a gap."""
        return self.fault.start - self.bug.span.start, self.fault.end + 1 - self.bug.span.start

    @property
    def stands_alone(self) -> bool:
        """Whether no other code is on the lines of the function."""
        if self.function is None:
            return True
        code = self.bug.buggy.encode("utf-8", "surrogatepass")
        before = code[: self.function.start].rpartition(b"\n")[2]
        after = code[self.function.end :].partition(b"\n")[0].strip()
        return not before.strip() and not (after and not after.startswith((b"//", b"#", b"/*")))

    def with_code(self, code: str) -> str:
        """The whole file with `code` in the place of all this, ended as it is."""
        stands = self.bug.buggy_lines
        end = "" if stands and not stands.endswith("\n") else "\n"  # nothing follows it in a file without a last one
        return self.bug.replace_span(as_in_file(code.removesuffix("\n") + end, self.bug))


@lru_cache(maxsize=8)
def place_of(bug: Bug) -> Place:
    """The function around the fault, or the file."""
    read = source(bug.buggy, bug.language)
    span = read.enclosing(bug.span)
    if span is None:
        return Place(replace(bug, span=replace(bug.span, start=1, end=len(read.lines))), bug.span, None)
    function = next(each for each in written_in(read) if each.span == span)
    return Place(replace(bug, span=span), bug.span, function)


def shifted(line: str, has: str, wanted: str) -> str:
    """A line moved as one of the indent `has` is moved to `wanted`; blank ones have no indent."""
    own = indent_of([line])
    if not line.strip():
        return line.lstrip(" \t")
    if own.startswith(has):
        return wanted + line.removeprefix(has)
    less = len(has) - len(own)
    return wanted[: max(0, len(wanted) - less)] + line.removeprefix(own) if has.startswith(own) else line
