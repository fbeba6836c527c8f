"""Plain values as text: what passes between tests and patched code that run in two processes.

Plain are None, bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, and of the library
dates, times, Decimal and Fraction. A value of a subclass goes as what it is made of, so no method of it decides
anything. Lists, dicts, sets and bytearrays keep their identity: each has a number in the order in which it was first
met, and is named by it afterwards. Everything else is the business of `other`, which says how it is called.
Runs inside the sandbox; imports nothing of Repair Studio.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False  # as in `typing`, which is not imported for this
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MUTABLE = {list: "l", dict: "d", set: "s", bytearray: "B"}
LIBRARY = {
    "date": "datetime",
    "datetime": "datetime",
    "timedelta": "datetime",
    "Decimal": "decimal",
    "Fraction": "fractions",
}
DEEPEST = 300


class Graph:
    """The containers of one exchange, by number; both sides count them in the same order."""

    def __init__(self) -> None:
        self.known: list[Any] = []
        self._numbers: dict[int, int] = {}

    def add(self, container: Any) -> int:
        """The number of a container that is new."""
        self._numbers[id(container)] = len(self.known)
        self.known.append(container)
        return len(self.known) - 1

    def encode(self, value: Any, other: Callable[[Any], Any], depth: int = 0) -> Any:
        """`value` as JSON; `other` gives the JSON of what is not plain, or raises."""
        if value is None or value is True or value is False:
            return value
        if depth > DEEPEST:
            raise RecursionError("a value is nested too deeply to be exchanged")
        kind = type(value)
        if issubclass(kind, str):
            return str.__str__(value) if kind is not str else value
        if issubclass(kind, int):
            return ["i", int.__format__(value, "x")]
        if issubclass(kind, float):
            return float.__float__(value)
        if issubclass(kind, (bytes, complex)):
            return ["b", bytes.hex(value)] if issubclass(kind, bytes) else ["c", value.real, value.imag]
        for base, name in MUTABLE.items():
            if issubclass(kind, base):
                if id(value) in self._numbers:
                    return ["r", self._numbers[id(value)]]
                return [name, self.add(value), self.content(value, other, depth)]
        if issubclass(kind, (tuple, frozenset)):
            base = tuple if issubclass(kind, tuple) else frozenset
            return [
                "t" if base is tuple else "f",
                [self.encode(each, other, depth + 1) for each in base.__iter__(value)],
            ]
        if LIBRARY.get(kind.__name__) == kind.__module__:
            return [kind.__name__, *(self.encode(part, other, depth + 1) for part in _parts(value))]
        return other(value)

    def content(self, value: Any, other: Callable[[Any], Any], depth: int = 0) -> Any:
        """What is in a container, as JSON."""
        if isinstance(value, dict):
            pairs = dict.items(value)
            return [[self.encode(key, other, depth + 1), self.encode(each, other, depth + 1)] for key, each in pairs]
        if isinstance(value, bytearray):
            return bytearray.hex(value)
        base = list if isinstance(value, list) else set
        return [self.encode(each, other, depth + 1) for each in base.__iter__(value)]

    def decode(self, told: Any, other: Callable[[Any], Any]) -> Any:
        """The value of `encode`; new containers are made and counted. Raises ValueError for anything else."""
        if told is None or isinstance(told, (bool, str, float)):
            return told
        if not isinstance(told, list) or not told or not isinstance(told[0], str):
            raise ValueError("not a plain value")
        kind, *rest = told
        if kind == "i":
            return int(rest[0], 16)
        if kind == "b":
            return bytes.fromhex(rest[0])
        if kind == "c":
            return complex(*rest)
        if kind == "r":
            return self.known[rest[0]]
        if kind in ("t", "f"):
            return (tuple if kind == "t" else frozenset)([self.decode(each, other) for each in rest[0]])
        if kind in MUTABLE.values():
            container = next(base for base, name in MUTABLE.items() if name == kind)()
            if self.add(container) != rest[0]:
                raise ValueError("containers are numbered in order")
            self.fill(container, rest[1], other)
            return container
        if kind in LIBRARY:
            import importlib

            made = getattr(importlib.import_module(LIBRARY[kind]), kind)
            return made(*(self.decode(part, other) for part in rest))
        return other(told)

    def fill(self, container: Any, content: Any, other: Callable[[Any], Any]) -> None:
        """Put `content` in the place of what is in a container."""
        container.clear()
        if isinstance(container, dict):
            container.update({self.decode(key, other): self.decode(each, other) for key, each in content})
        elif isinstance(container, bytearray):
            container.extend(bytes.fromhex(content))
        elif isinstance(container, set):
            container.update(self.decode(each, other) for each in content)
        else:
            container.extend(self.decode(each, other) for each in content)


def _parts(value: Any) -> tuple[Any, ...]:
    """What the constructor of a value of the library is called with."""
    name = type(value).__name__
    if name == "timedelta":
        return value.days, value.seconds, value.microseconds
    if name == "Fraction":
        return value.numerator, value.denominator
    if name == "Decimal":
        return (str(value),)
    day = (value.year, value.month, value.day)
    return day if name == "date" else (*day, value.hour, value.minute, value.second, value.microsecond)


def dumps(told: Any) -> bytes:
    """A message as one line."""
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"
