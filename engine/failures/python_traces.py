"""An exception of Python with its frames, as the interpreter writes it, and as pytest does in its own ways."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import dedent

from engine.failures import Failed, Place
from engine.failures.python_values import expected_and_actual

MOST_PLACES = 20
_NATIVE = re.compile(r' *File "([^"]+)", line (\d{1,8})(?:, in (.*))?$')
_SHORT = re.compile(r"([^\s:][^:]*):(\d{1,8}): in (.*)$")
_LONG = re.compile(r"([^\s:][^:]*):(\d{1,8}): ?(\w*)$")  # behind the code, in pytest's long style
_ERROR = re.compile(r"((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?:: (.*))?$")
_BEHIND = ("The above exception was the direct cause", "During handling of the above exception")
_PARAMETERS = "\nparameters: "  # as our own harness notes them
_LIBRARIES = ("/unittest/", "/_pytest/", "/pluggy/", "/site-packages/", "/lib/python3", "<frozen ")


@dataclass
class _Raised:
    lines: list[str] = field(default_factory=list)  # of the exception: its name, its message
    places: list[Place] = field(default_factory=list)
    code: str = ""  # in pytest's long style, of the frame that is read

    @property
    def parts(self) -> tuple[str, str]:
        """The exception's name and its message."""
        if not self.lines:
            return "", ""
        if _NATIVE.match(self.lines[0]):  # a file that could not be parsed, with its line, before the exception
            self.lines = self.lines[-1:]
        found = _ERROR.match(self.lines[0])
        if found is None or self.lines[0].startswith("assert "):
            return "AssertionError", "\n".join(self.lines)
        if found[2] is None and not found[1][:1].isupper():
            return "", "\n".join(self.lines)
        return found[1].rpartition(".")[2], "\n".join([found[2] or "", *self.lines[1:]]).strip("\n")


def failed(test: str, owner: str, body: Sequence[str]) -> Failed:
    """What `body`, the lines that a tool writes about a test, says of why it failed."""
    chain = _chain(body)
    last = chain[-1]
    error, message = last.parts
    message, _, given = f"\n{message}{_PARAMETERS}".partition(_PARAMETERS)
    message = message.strip("\n")
    code = (each.code for each in reversed(last.places))
    asserted = next((each for each in code if each.startswith(("assert", "self.assert"))), "")
    is_assertion = error in ("AssertionError", "")
    expected, actual, rest = expected_and_actual(message, asserted) if is_assertion else (None, None, message)
    places = [place for raised in chain for place in reversed(raised.places)]
    cause = next((": ".join(filter(None, each.parts)) for each in chain[:-1] if each.lines), "").partition("\n")[0]
    unique = tuple(dict.fromkeys(places))[:MOST_PLACES]
    return Failed(test, owner, error, rest, expected, actual, unique, given.strip("\n").partition("\n")[0], cause)


def _chain(body: Sequence[str]) -> list[_Raised]:
    """The exceptions in the order in which they were raised; the last is the one that the test ended with."""
    chain = [_Raised()]
    is_marked = any(line.startswith("E ") for line in body)  # by pytest, with an E before each line of an exception
    for line, following in zip(body, [*body, ""][1:], strict=True):
        raised = chain[-1]
        if line.startswith(_BEHIND):
            chain.append(_Raised())
        elif is_marked and (line.startswith("E ") or line == "E"):
            raised.lines.append(line[1:])
        elif line.startswith("> "):
            raised.code = line[2:].strip()
        elif at := _place(line, following, raised):
            if len(raised.places) < 4 * MOST_PLACES and not any(name in at.path for name in _LIBRARIES):
                raised.places.append(at)
        elif not is_marked and (raised.lines or (raised.places and _begins_exception(line))):
            raised.lines.append(line)
    for raised in chain:
        raised.lines = dedent("\n".join(raised.lines)).strip("\n").split("\n") if raised.lines else []
    return [each for each in chain if each.lines or each.places] or chain[:1]


def _begins_exception(line: str) -> bool:
    return bool(line) and not line.startswith((" ", "Traceback", "!!!"))


def _place(line: str, following: str, raised: _Raised) -> Place | None:
    if found := _NATIVE.match(line) or _SHORT.match(line):
        code = following.strip() if following.startswith(" ") and not _NATIVE.match(following) else ""
        return Place(found[1].removeprefix("./"), int(found[2]), found[3] or "", code)
    if raised.code and (found := _LONG.match(line)):
        code, raised.code = raised.code, ""
        return Place(found[1].removeprefix("./"), int(found[2]), "", code)
    return None
