"""`make perf`: measured figures and the bars they are held to, as one JSON object a line and nothing else on stdout.

Each other file of this folder is one subject: its `measure()` yields figures. `make perf ONLY="clients start"` measures
some of them. Ends with 1 where a figure does not hold or could not be measured.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Figure:
    """One measured number; it holds up to its bar, or from its bar on where `is_least`."""

    name: str
    value: float | None  # None: could not be measured
    unit: str
    bar: float
    is_least: bool = False

    @property
    def holds(self) -> bool:
        if self.value is None:
            return False
        return self.value >= self.bar if self.is_least else self.value <= self.bar

    def line(self) -> str:
        value = None if self.value is None else round(self.value, 4)
        return json.dumps(
            {"figure": self.name, "value": value, "unit": self.unit, "bar": self.bar, "holds": self.holds}
        )


def subjects() -> list[str]:
    """The names of the files that measure something: with a `measure` of the module, not only the word in a text."""
    return sorted(path.stem for path in HERE.glob("*.py") if "\ndef measure(" in path.read_text())


def usual() -> list[str]:
    """The subjects that are measured where none is named: not those that take an hour."""
    return [name for name in subjects() if "\nON_REQUEST = True" not in (HERE / f"{name}.py").read_text()]


def measured(subject: str) -> Iterator[Figure]:
    """The figures of one subject; what it prints goes to stderr."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            figures = list(import_module(subject).measure())
    except Exception:
        traceback.print_exc()
        figures = [Figure(f"{subject} (could not be measured)", None, "", 0)]
    yield from figures


def main(wanted: list[str]) -> int:
    """Measure what is wanted, or all."""
    sys.path[:0] = [
        str(HERE),
        str(HERE.parents[1]),
        *(str(HERE.parent / name) for name in ("", "e2e", "launchers", "studio")),
    ]
    if unknown := set(wanted) - set(subjects()):
        print(f"no subject called {', '.join(sorted(unknown))}; there are: {', '.join(subjects())}", file=sys.stderr)
        return 2
    holds = True
    for subject in wanted or usual():
        for figure in measured(subject):
            print(figure.line(), flush=True)
            holds = holds and figure.holds
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
