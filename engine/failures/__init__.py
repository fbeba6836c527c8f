"""What the log of a compiler or of tests says went wrong: errors of a compiler, and tests that failed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A line of a file, as a compiler or a stack trace names it."""

    path: str  # relative where the tool says enough to tell, "shop/Cart.java"; of a folder of the sandbox: without it
    line: int  # 1-based; 0: not known
    function: str = ""
    code: str = ""  # of that line, where the log has it

    def is_in(self, path: str) -> bool:
        """Whether this is a line of the file `path`: one of both paths ends with the other, folder by folder."""
        here, there = self.path.split("/"), path.split("/")
        least = min(len(here), len(there))
        return bool(self.path) and here[-least:] == there[-least:]


@dataclass(frozen=True)
class Complaint:
    """One error of a compiler."""

    message: str
    place: Place
    column: int = 0  # 1-based; 0: not known
    lines: tuple[str, ...] = ()  # the source line, the line with the caret, and what the compiler adds


@dataclass(frozen=True)
class Failed:
    """One test that failed, as its tool tells of it."""

    test: str  # without its file or class
    owner: str = ""  # its class with the package, or its file, where the tool says it
    error: str = ""  # name of the exception without its package, "KeyError"; empty where the tool does not say
    message: str = ""  # of the exception; without what `expected` and `actual` say
    expected: str | None = None
    actual: str | None = None
    places: tuple[Place, ...] = ()  # of the stack, the innermost first, without those of the test library
    given: str = ""  # the values of its parameters, where the log has them
    cause: str = ""  # the exception behind the exception, on one line


@dataclass(frozen=True)
class Found:
    """All that was read out of one log."""

    complaints: tuple[Complaint, ...] = ()
    failed: tuple[Failed, ...] = ()
    lines: tuple[str, ...] = ()  # the cleaned log
