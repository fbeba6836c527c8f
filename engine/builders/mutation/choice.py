"""Chooses faults among all that a function has room for: each kind in turn, those that weigh more often first."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Annotated

from pydantic import AfterValidator

from engine.builders.mutation import CLASS, KINDS, SHARE_POSSIBLE, Edit, Kind
from engine.languages.python_syntax import tree_of
from engine.languages.source import parse

SEVERAL = "several_faults"  # the kind of a bug with more than one
_TRIES = 20  # to find a further fault that does not touch the others


def _weighed(text: str) -> str:
    name, equals, number = text.partition("=")
    if name.strip() not in KINDS:
        raise ValueError(f"there is no kind of fault called {name.strip()!r}; choose one of: {', '.join(KINDS)}")
    try:
        is_weight = bool(equals) and 0 <= float(number) <= 1000
    except ValueError:
        is_weight = False
    if not is_weight:
        raise ValueError(f"{text!r} should be a kind and a number from 0 to 1000, such as {name.strip()}=3")
    return f"{name.strip()}={float(number):g}"


# "comparison=3": three times as likely to be the first kind that is injected into a function as it would be; 0: never.
Weight = Annotated[str, AfterValidator(_weighed)]


def weights_of(operators: Sequence[Kind], weights: Sequence[Weight]) -> dict[Kind, float]:
    """Kind -> its weight, for all that are injected at all."""
    told = {name: float(number) for name, _, number in (each.partition("=") for each in weights)}
    return {kind: weight for kind in operators if (weight := told.get(kind, 1.0)) > 0}


@dataclass(frozen=True)
class Mutant:
    """Code with one fault, or with several."""

    text: str
    kinds: tuple[Kind, ...]

    @property
    def kind(self) -> str:
        return self.kinds[0] if len(self.kinds) == 1 else SEVERAL


def mutants(
    code: bytes,
    found: Sequence[Edit],
    weights: Mapping[Kind, float],
    random: Random,
    parses: Callable[[str], bool],
    faults: int = 1,
) -> Iterator[Mutant]:
    """Faulty versions of `code`, each another text that parses, with `faults` faults or as many as there is room for.

    Each kind in turn; kinds that are rarely possible, or weigh more, are more often the first.
    """
    by_kind: dict[Kind, list[Edit]] = {}
    for edit in found:
        if edit.kind in weights:
            by_kind.setdefault(edit.kind, []).append(edit)
    usable = [edit for edits in by_kind.values() for edit in edits]
    seen = {code.decode()}
    while by_kind:
        place = {kind: random.random() ** (SHARE_POSSIBLE[kind] / weights[kind]) for kind in by_kind}
        for kind in sorted(by_kind, key=lambda kind: -place[kind]):
            waiting = by_kind[kind]
            while waiting:
                chosen = [waiting.pop(random.randrange(len(waiting)))]
                _add_others(chosen, usable, random, faults)
                text = _applied(code, chosen)
                if text not in seen and parses(text):
                    seen.add(text)
                    yield Mutant(text, tuple(edit.kind for edit in chosen))
                    break
            if not waiting:
                del by_kind[kind]


def _add_others(chosen: list[Edit], usable: Sequence[Edit], random: Random, faults: int) -> None:
    for _ in range(_TRIES if faults > 1 else 0):
        if len(chosen) == faults:
            return
        other = random.choice(usable)
        if all(other.end < edit.start or edit.end < other.start for edit in chosen):
            chosen.append(other)


def _applied(code: bytes, chosen: Sequence[Edit]) -> str:
    for edit in sorted(chosen, key=lambda edit: -edit.start):
        code = code[: edit.start] + edit.text.encode() + code[edit.end :]
    return code.decode()


def parses_python(code: str) -> bool:
    """Whether the running Python can parse it; a function may be indented."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in strings do not matter here
        try:
            tree_of(f"if 1:\n{code}" if code[:1] in (" ", "\t") else code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def parses_java(code: str) -> bool:
    """Whether a method that stands alone has Java's syntax; nothing is said about its types."""
    return not parse(CLASS + code.encode() + b"}\n", "java").root_node.has_error


PARSES: Mapping[str, Callable[[str], bool]] = {"python": parses_python, "java": parses_java}
