"""An exception of a JVM with its stack, as every Java tool writes it: `java.lang.Throwable.printStackTrace`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.failures import Failed, Place
from engine.failures.java_values import expected_and_actual

MOST_PLACES = 20
_THROWN = re.compile(r"((?:[A-Za-z_$][\w$]*\.)*[A-Z][\w$]*)(?::(?: (.*))?)?$")
_NAMED = ("Error", "Exception", "Failure", "Throwable")
_CAUSE, _SUPPRESSED = "Caused by: ", "Suppressed: "
_SOURCES = (".java", ".kt", ".scala", ".groovy")
_LIBRARIES = (
    *("org.junit.", "junit.", "org.hamcrest.", "org.opentest4j.", "org.assertj.", "org.testng.", "judge."),
    *("java.", "javax.", "jdk.", "sun.", "org.gradle.", "org.apache.maven.", "org.apache.tools.ant."),
)


@dataclass
class _Thrown:
    error: str
    message: list[str]
    places: list[Place] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.message).strip("\n")


def failed(test: str, owner: str, body: Sequence[str]) -> Failed:
    """What `body`, the lines that a tool writes about a test, says of why it failed."""
    chain = _chain(body)
    if not chain:
        return Failed(test, owner)
    first, last = chain[0], chain[-1]
    expected, actual, message = expected_and_actual(first.error, first.text)
    innermost = [place for thrown in reversed(chain) for place in thrown.places]
    is_told = last is first or last.text in first.text
    cause = "" if is_told else ": ".join(filter(None, (last.error, last.text.partition("\n")[0])))
    places = tuple(dict.fromkeys(innermost))[:MOST_PLACES]
    return Failed(test, owner, first.error, message, expected, actual, places, cause=cause)


def is_thrown(line: str) -> bool:
    """Whether a line is the first of an exception, `java.lang.AssertionError: expected:<1> but was:<2>`."""
    found = _THROWN.match(line.strip())
    return found is not None and found[1].endswith(_NAMED)


def _chain(body: Sequence[str]) -> list[_Thrown]:
    """An exception and those that caused it."""
    chain: list[_Thrown] = []
    is_cause = False  # Gradle writes the words on a line of their own
    for line in body:
        text = line.strip()
        if is_cause and text:
            text, is_cause = _CAUSE + text, False
        at = place_of(text)
        if at is not None and chain:
            if at.path and len(chain[-1].places) < MOST_PLACES:
                chain[-1].places.append(at)
        elif text.startswith(_CAUSE):
            chain.append(_thrown(text.removeprefix(_CAUSE)))
        elif text == _CAUSE.strip():
            is_cause = True
        elif text.startswith(_SUPPRESSED):
            break
        elif not chain:
            if text:
                chain.append(_thrown(text))
        elif not chain[-1].places and not _is_elided(text):
            chain[-1].message.append(line)
        elif text and not _is_elided(text):
            break
    return chain


def _thrown(text: str) -> _Thrown:
    found = _THROWN.match(text)
    if found is None or not ("." in found[1] or found[1].endswith(_NAMED)):
        return _Thrown("", [text])
    return _Thrown(found[1].rpartition(".")[2], [found[2] or ""])


def _is_elided(text: str) -> bool:
    return text == "[...]" or (text.startswith("... ") and text.endswith((" more", " trimmed")))


def place_of(text: str) -> Place | None:
    """The place of a frame, `at java.base/java.util.List.of(List.java:1)`; without a path if it is none of the user's.

    None if the text is no frame.
    """
    name, opened, place = text.removeprefix("at ").partition("(")
    if not (opened and place.endswith(")") and "." in name) or " " in name:
        return None
    file, _, number = place[:-1].partition(":")
    owner, _, function = name.rpartition("/")[2].rpartition(".")
    if not (file.endswith(_SOURCES) and number.isdecimal() and len(number) < 9):
        return Place("", 0) if file in ("Native Method", "Unknown Source") else None
    if owner.startswith(_LIBRARIES):
        return Place("", 0)
    package = owner.partition("$")[0].rpartition(".")[0].replace(".", "/")
    return Place(f"{package}/{file}" if package else file, int(number), _plain(function))


def _plain(function: str) -> str:
    """The method that a lambda stands in: `lambda$refuses$1` is of `refuses`."""
    parts = function.split("$")
    return parts[1] if parts[0] == "lambda" and len(parts) > 1 else function
