"""Runs beside the tests: stands for the patched module, which runs in another sandbox and is asked through a pipe.

What comes back is rebuilt as plain values of exact types, which the tests compare; an object that stays there is known
here by a number only, equal to nothing but itself. Errors come back by name.
"""

from __future__ import annotations

import builtins
import json
import os
import sys
import types

TYPE_CHECKING = False  # as in `typing`, which is not imported for this
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from engine.benchmarks.runners.plain_values import Graph, dumps
else:
    from plain_values import Graph, dumps


class NotPlain(Exception):
    """The tests and the patched code exchange more than plain values."""


class Near:
    """The end of the pipe, and the objects that are known here."""

    def __init__(self, answers: int, ask: Callable[[bytes], None]) -> None:
        """`answers`: descriptor with a line for each question; `ask` sends one."""
        self._answers = os.fdopen(answers, "rb")
        self._ask = ask
        self._is_over = False
        self._objects: dict[int, Any] = {}
        self._errors: dict[tuple[str, ...], type[BaseException]] = {}

    def ask(self, verb: str, number: int, *given: Any) -> Any:
        """What it came to over there; raises what was raised there."""
        graph = Graph()
        told = [graph.encode(each, self._number) for each in given]
        before = len(graph.known)
        self._ask(dumps([verb, number, *told]))
        return self.answered(graph, before)

    def answered(self, graph: Graph, before: int) -> Any:
        """The next answer; the containers that were given are changed as they were over there."""
        line = b"" if self._is_over else self._answers.readline()
        self._is_over = not line.strip()  # an empty line: nobody is there any more
        if self._is_over:
            raise RuntimeError("the patched code has ended")
        kind, *rest = json.loads(line)
        if kind == "raised":
            raise self._raised(*rest)
        content, changed = rest
        for place, _ in changed:
            if not isinstance(place, int) or not 0 <= place < before:
                raise RuntimeError("no container that was given")
        for place, inside in changed:
            graph.fill(graph.known[place], inside, self._object)
        return graph.decode(content, self._object)

    def _number(self, value: Any) -> Any:
        if isinstance(value, (Far, FarClass)):
            return ["o", object.__getattribute__(value, "_number")]
        raise NotPlain(f"a {type(value).__name__} cannot be given to code in another process")

    def _object(self, told: Any) -> Any:
        _, number, kind, names = told
        if not isinstance(number, int):
            raise RuntimeError("no number of an object")
        if kind == "error":
            return self._error(tuple(names))
        if number not in self._objects:
            made = FarClass if kind == "class" else Far
            self._objects[number] = made(self, number, str(names))
        return self._objects[number]

    def _raised(self, names: list[str], is_builtin: bool, text: str) -> BaseException:
        made = self._error(tuple(map(str, names)))
        if not issubclass(made, Exception):
            return RuntimeError(f"{made.__name__}: {text}")  # one that would end the tests
        error = made.__new__(made)
        error.args = (str(text),)
        return error

    def _error(self, names: tuple[str, ...]) -> type[BaseException]:
        """The error class of this name; one of our own below the nearest that Python has."""
        found = [getattr(builtins, name, None) for name in names]
        known = [each for each in found if isinstance(each, type) and issubclass(each, BaseException)]
        nearest = known[0] if known else Exception
        if not names or nearest.__name__ == names[0]:
            return nearest
        if names not in self._errors:
            self._errors[names] = type(names[0], (nearest,), {})
        return self._errors[names]


class Far:
    """An object that stays in the other process."""

    def __init__(self, near: Near, number: int, name: str) -> None:
        for key, value in (("_near", near), ("_number", number), ("_name", name)):
            object.__setattr__(self, key, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._near.ask("get", self._number, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._near.ask("set", self._number, name, value)

    def __call__(self, *given: Any, **named: Any) -> Any:
        return self._near.ask("call", self._number, given, named)

    def __iter__(self) -> Iterator[Any]:
        there = self._near.ask("iter", self._number)
        return there if isinstance(there, Far) else iter(there)

    def __next__(self) -> Any:
        return self._near.ask("next", self._number)

    def __len__(self) -> int:
        return int(self._near.ask("len", self._number))

    def __bool__(self) -> bool:
        return self._near.ask("bool", self._number) is True

    def __repr__(self) -> str:
        return f"<{self._name} in another process>"


class FarClass(Far):
    """A class of the patched module; its instances stay there too."""


class FarModule(types.ModuleType):
    """What the tests import in the place of the patched module."""

    def __init__(self, name: str, near: Near) -> None:
        super().__init__(name)
        self._near = near

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_near":
            raise AttributeError(name)
        there = self._near.ask("get", 0, name)
        if isinstance(there, Far):
            object.__setattr__(there, "__name__", name)  # as the tests call it, and not as the other side may
        return there


class Importer:
    """Finds the patched module's place: packages on the way are empty, and the first import asks whether it loads."""

    def __init__(self, target: str, near: Near) -> None:
        self._name = target.removesuffix(".py").replace("/", ".")
        self._near = near

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """As importlib asks for it."""
        from importlib.machinery import ModuleSpec

        if name == self._name:
            return ModuleSpec(name, self)  # type: ignore[arg-type]
        if self._name.startswith(f"{name}."):
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        return FarModule(spec.name, self._near) if spec.name == self._name else types.ModuleType(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        if module.__name__ == self._name:
            self._near.answered(Graph(), 0)


def install(target: str, answers: int, ask: Callable[[bytes], None]) -> None:
    """From here on `import` of the patched module gives what stands for it."""
    sys.meta_path.insert(0, Importer(target, Near(answers, ask)))
