"""Bugs made by injecting a fault, or several, into each of many real Python or Java functions of a folder.

The folder is the running Python's own standard library unless another is chosen. Docstrings, comments and blank lines
of the functions are removed, and the code starts at column 0, as for the starter adapter (starter-model/README.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import ClassVar, Literal

from engine import params
from engine.builders import Funnel
from engine.builders.functions import common_folder, functions_of, project_of, source_files, source_root, syntax
from engine.builders.mutation import KINDS, Kind, edits
from engine.builders.mutation.choice import PARSES, Mutant, Weight, mutants, weights_of
from engine.domain import Bug, Rows, span_of_change
from engine.errors import UserError
from engine.params import Place, setting

COUNTED = "Injected faults"  # the title of the table of operators
_BUGS_PER_TURN = 4  # least from a file at a time: reading a file takes longer than making a bug


class FaultInjection:
    """Injects faults into many real functions, a few per file in turn, so that a small set is varied too."""

    name: ClassVar[str] = "faults"
    title: ClassVar[str] = "Fault injection"
    makes: ClassVar[Rows] = "bugs"

    class Params(params.Params):
        """The folder of the functions, and the kinds of fault to inject."""

        name: Literal["faults"] = "faults"
        folder: Place = setting("", "folder of source code; empty: the standard library of this Python")
        samples: int = setting(1000, "faulty functions wanted", ge=1, le=10_000_000)
        language: Literal["python", "java"] = setting("python", "language of the functions")
        operators: tuple[Kind, ...] = setting(
            KINDS, "those that are injected", more=True, min_length=1, title="Kinds of fault"
        )
        weights: tuple[Weight, ...] = setting(
            (), 'how often a kind is chosen, such as "comparison=3"; 1 where nothing is said, 0: never', more=True
        )
        faults: int = setting(1, "faults in each faulty function", ge=1, le=5, more=True, title="Faults at once")
        per_function: int = setting(
            500, "most faulty versions of one function", ge=1, le=10_000, more=True, title="Most of a function"
        )
        min_lines: int = setting(3, "shorter functions are left out", unit="lines", ge=1, le=1000, more=True)
        max_lines: int = setting(40, "longer functions are left out", unit="lines", ge=1, le=1000, more=True)
        per_file: int = setting(
            500, "most faulty functions from one file", ge=1, le=10_000_000, more=True, title="Most of a file"
        )

    def __init__(self, params: Params) -> None:
        self.params = params

    def check(self) -> None:
        source_root(self.params.folder, self.params.language)
        if not weights_of(self.params.operators, self.params.weights):
            raise UserError("every kind of fault has weight 0; give one of them more", field="builder.weights")

    def total(self) -> int:
        return self.params.samples

    def choices(self) -> Mapping[str, Sequence[str]]:
        return {}

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Bug]:
        """Stream the bugs; if the files do not have as many as wanted, the difference is counted in the funnel.

        Raises UserError if the folder is missing or no faulty function can be made from its files.
        """
        root = source_root(self.params.folder, self.params.language)
        files = source_files(root, self.params.language)
        Random(seed).shuffle(files)
        base = common_folder(files)
        taken = dict.fromkeys(files, 0)
        wanted = self.params.samples
        while wanted and taken:  # if a file gives less than its share, the others give more in the next turn
            for left, file in zip(range(len(taken), 0, -1), list(taken), strict=True):
                before = taken[file]
                share = min(max(_BUGS_PER_TURN, -(-wanted // left)), wanted, self.params.per_file - before)
                found = _File(file, root, base, self.params, seed, Funnel() if before else funnel)
                for bug, mutant in islice(found.bugs(), before, before + share):
                    for kind in mutant.kinds:
                        funnel.count(COUNTED, kind)
                    taken[file] += 1
                    wanted -= 1
                    funnel.source += 1
                    yield bug
                if taken[file] < before + share or taken[file] == self.params.per_file:
                    del taken[file]
                if not wanted:
                    return
        if wanted == self.params.samples:
            raise UserError(self._nothing(root, funnel), field="builder.folder")
        funnel.source += wanted
        funnel.lost["asked for, but the files have no more"] = wanted

    def _nothing(self, root: Path, funnel: Funnel) -> str:
        found = [f"{count} {reason} (first: {funnel.examples[reason]})" for reason, count in funnel.lost.items()]
        lost = "; ".join(found)
        return f"no fault could be injected under {str(root)!r}: {lost or 'the files define no function'}"


class _File:
    """The faulty functions of one file, in an order that depends only on the seed and the file."""

    def __init__(
        self, file: Path, root: Path, base: Path, params: FaultInjection.Params, seed: int, funnel: Funnel
    ) -> None:
        self._file = file
        self._path = file.relative_to(root).as_posix()
        self._project = project_of(file, base)
        self._params = params
        self._random = Random(f"{seed}:{self._path}")
        self._funnel = funnel

    def bugs(self) -> Iterator[tuple[Bug, Mutant]]:
        """Each with the faults that are in it."""
        params = self._params
        fit = list(
            functions_of(self._file, self._path, params.language, params.min_lines, params.max_lines, self._lose)
        )
        fit.sort(key=lambda found: self._random.random() ** (1 / found[1].count("\n")))  # the last is likely long
        functions = [(name, code, self._mutants(code, where)) for name, code, where in reversed(fit)]
        number = 0
        while functions:
            left = []
            for name, code, found in functions:
                if (mutant := next(found, None)) is None:
                    continue
                left.append((name, code, found))
                id_ = f"faults/{self._path}:{name}:{number}"
                span = span_of_change(mutant.text, code)
                language = self._params.language
                yield (
                    Bug(
                        id_,
                        language,
                        self._path,
                        mutant.text,
                        code,
                        span,
                        mutant.kind,
                        project=self._project,
                        is_function=True,
                    ),
                    mutant,
                )
                number += 1
            functions = left

    def _mutants(self, code: str, where: str) -> Iterator[Mutant]:
        parses = PARSES[self._params.language]
        if not parses(code):
            return self._lose(f"functions do not parse as {syntax(self._params.language)}", where)
        encoded = code.encode()
        found = edits(encoded, self._params.language)
        weights = weights_of(self._params.operators, self._params.weights)
        yield from islice(
            mutants(encoded, found, weights, self._random, parses, self._params.faults), self._params.per_function
        )
        return None

    def _lose(self, reason: str, where: str) -> None:
        self._funnel.source += 1
        self._funnel.lose(reason, where)
