"""Runs inside a sandbox of its own: the patched code, and nothing of its tests.

`python3 python_far.py TARGET TOOLS`. A line of JSON on standard input asks for one thing: an attribute, a call, the
next of an iterator, a length. A line on what was standard output answers. What is not plain stays here and is known
outside by a number. Nothing here is trusted by the other side: the patched code can answer as it likes, and all that
comes of it is that the tests find another value than they expect.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

TYPE_CHECKING = False  # as in `typing`, which is not imported for this
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from engine.benchmarks.runners.plain_values import Graph, dumps
else:
    if __name__ == "__main__":
        sys.path[:0] = [sys.argv[2], os.getcwd()]
    from plain_values import Graph, dumps


class Far:
    """The objects that the other side knows by number."""

    def __init__(self, module: Any) -> None:
        self.kept: list[Any] = [module]
        self._numbers = {id(module): 0}

    def answer(self, asked: Any) -> Any:
        """["value", its JSON, containers that were changed] or ["raised", names of its classes, text]."""
        graph = Graph()
        try:
            verb, number, *rest = asked
            it = self.kept[number]
            given = [graph.decode(each, self.near) for each in rest]
            before = [dumps(graph.content(each, self.far)) for each in list(graph.known)]
            outcome = self.do(verb, it, given)
            known = list(graph.known[: len(before)])
            changed = []
            for place, each in enumerate(known):
                content = graph.content(each, self.far)
                if dumps(content) != before[place]:
                    changed.append([place, content])
            return ["value", graph.encode(outcome, self.far), changed]
        except BaseException as trouble:
            names = [each.__name__ for each in type(trouble).__mro__]
            return ["raised", names, type(trouble).__module__ == "builtins", str(trouble)[:2000]]

    def do(self, verb: str, it: Any, given: list[Any]) -> Any:
        """One thing that the tests do with an object."""
        if verb == "get":
            return getattr(it, given[0])
        if verb == "set":
            return setattr(it, given[0], given[1])
        if verb == "call":
            return it(*given[0], **given[1])
        if verb == "next":
            return next(it)
        does: dict[str, Callable[[Any], Any]] = {"iter": iter, "len": len, "bool": bool}
        return does[verb](it)

    def near(self, told: Any) -> Any:
        """An object that the other side names."""
        return self.kept[told[1]]

    def far(self, value: Any) -> Any:
        """How an object that stays here is called, and what can be done with it."""
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self.kept)
            self.kept.append(value)
        kind = "object"
        if isinstance(value, type):
            kind = "error" if issubclass(value, BaseException) else "class"
        elif callable(value):
            kind = "function"
        names = [each.__name__ for each in value.__mro__] if kind == "error" else type(value).__name__
        return ["o", self._numbers[id(value)], kind, names]


def main() -> None:
    """Import the patched module and answer until nobody asks any more."""
    target = sys.argv[1]
    asked = os.fdopen(os.dup(0), "rb")
    channel = os.dup(1)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.argv[:] = ["pytest"]
    os.write(channel, b"ready\n")
    name = target.removesuffix(".py").replace("/", ".")
    far = Far(None)
    try:
        far.kept[0] = importlib.import_module(name)
        write(channel, ["value", None, []])
    except BaseException as trouble:
        names = [each.__name__ for each in type(trouble).__mro__]
        write(channel, ["raised", names, type(trouble).__module__ == "builtins", str(trouble)[:2000]])
    while line := asked.readline():
        write(channel, far.answer(json.loads(line)))
    os._exit(0)


def write(channel: int, told: Any) -> None:
    """A whole line."""
    line = dumps(told)
    while line:
        line = line[os.write(channel, line) :]


if __name__ == "__main__":
    main()
