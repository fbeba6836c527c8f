"""Finds code of benchmarks in a dataset: the same code, the same under other names, and shared runs of 10 tokens.

A row shares with a benchmark's bug the part of the runs of 10 tokens of the fixed function that its own fixed function
has too. (GPT-3 compared runs of 13 words, arXiv 2005.14165; a function of five lines has few of those.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any

from engine.dataset_spec import OVERLAP_SHARE
from engine.domain import Bug
from engine.errors import MissingDependency, UserError
from engine.languages.fingerprint import bare_functions, digest, layout_print
from engine.languages.tokens import grams, names_print, tokens_of
from engine.listed import LONGEST, Listing
from engine.plugins import BENCHMARKS
from engine.work.duplicates import Read

if TYPE_CHECKING:
    from engine.benchmarks import Benchmark

SIZE, HALF = 10, 5  # tokens
MOST_BUGS, MOST_RUNS = 20_000, 2_000_000  # of one benchmark, to bound the memory: a run takes about 160 bytes
SAME, RENAMED, ALIKE = "the same code", "the same code under other names", "shared tokens"


@dataclass
class Known:
    """One benchmark, and how much of it was found."""

    name: str
    is_excluded: bool = False  # rows with its code are left out
    least: float = OVERLAP_SHARE  # of a function's runs of tokens, from which a row that shares them has its code
    bugs: int = 0
    problem: str = ""  # why its code could not be compared
    rows: Counter[str] = field(default_factory=Counter)  # how -> rows
    touched: set[int] = field(default_factory=set)  # its bugs that some row has


@dataclass(frozen=True)
class Hit:
    """A benchmark's bug whose code a row has."""

    known: Known
    number: int
    how: str
    share: float = 1.0


class Overlap:
    """The code of the benchmarks that are compared."""

    def __init__(
        self, exclude: Iterable[object], compare: Iterable[object], exclude_share: float | None, *, is_all: bool
    ) -> None:
        """`exclude`: benchmarks whose code is left out; `is_all`: all that can be read without settings are compared.

        `exclude_share`: of an excluded one's function, from which a row that shares it is found; None: as of all.
        Raises UserError where one cannot be read that is named.
        """
        self.benchmarks: list[Known] = []
        self._ids: list[tuple[Known, str]] = []  # of all their bugs
        self._prints: dict[bytes, list[int]] = {}  # of faulty files, faulty and fixed functions -> their numbers
        self._renamed: dict[bytes, list[int]] = {}
        self._outlines: set[tuple[int, ...]] = set()  # of the same
        # Python's hash, of 8 bytes, of each run of tokens -> the bug's number, or those of all that have it
        self._runs: dict[int, int | list[int]] = {}
        self._halves: set[int] = set()  # the hash of each half of a run
        self._sizes: list[int] = []  # how many runs of tokens each has
        self._digest = sha256()  # of all their bugs
        for params in (BENCHMARKS.params(each) for each in exclude):
            self._read(params, Known(params.name, True, min(exclude_share or OVERLAP_SHARE, OVERLAP_SHARE)))
        for params in (BENCHMARKS.params(each) for each in compare):
            self._read(params, Known(params.name))
        if is_all:
            self._read_others()

    def _read_others(self) -> None:
        for name in BENCHMARKS.names():
            if name in {each.name for each in self.benchmarks}:
                continue
            known = Known(name)
            self.benchmarks.append(known)
            try:
                params = BENCHMARKS.params(name)
                benchmark = BENCHMARKS.create(params)
                benchmark.check()
                if getattr(benchmark, "reads_slowly", False):
                    raise UserError("reading its bugs takes long; name it to have it compared")
                self._learn_all(known, benchmark)
            except (UserError, MissingDependency, OSError) as error:
                known.bugs, known.problem = 0, str(error)[:LONGEST] or type(error).__name__

    def _read(self, params: Any, known: Known) -> None:
        self.benchmarks.append(known)
        self._learn_all(known, BENCHMARKS.create(params))

    def _learn_all(self, known: Known, benchmark: Benchmark) -> None:
        runs = 0
        for bug in islice(benchmark.bugs(), MOST_BUGS):
            runs += self._learn(known, bug)
            if runs > MOST_RUNS:
                break

    def _learn(self, known: Known, bug: Bug) -> int:
        """How many runs of tokens it has."""
        number = len(self._ids)
        known.bugs += 1
        self._ids.append((known, bug.id))
        self._digest.update(repr((known.name, bug.id, bug.buggy, bug.fixed)).encode())
        self._prints.setdefault(digest(bug.buggy), []).append(number)
        codes = bare_functions(bug)
        tokens = [tokens_of(code) for code in codes]
        for code, of_code in zip(codes, tokens, strict=True):
            self._prints.setdefault(layout_print(code), []).append(number)
            self._renamed.setdefault(names_print(bug.language, of_code), []).append(number)
            self._outlines.add(_outline(of_code))
        runs = set(map(hash, grams(tokens[1], SIZE)))
        self._halves.update(map(hash, grams(tokens[1], HALF)))
        self._sizes.append(len(runs))
        for run in runs:
            before = self._runs.setdefault(run, number)
            if isinstance(before, list):
                before.append(number)
            elif before != number:
                self._runs[run] = [before, number]
        return len(runs)

    def find(self, read: Read) -> list[Hit]:
        """The closest bug of each benchmark whose code the row has; of anything but a bug only tokens are compared."""
        found: dict[int, Hit] = {}  # by benchmark

        def add(number: int, how: str, share: float = 1.0) -> None:
            known = self._ids[number][0]
            if known.problem:  # only some of its bugs could be read
                return
            before = found.get(id(known))
            if before is None or (before.how == how == ALIKE and share > before.share):
                found[id(known)] = Hit(known, number, how, share)

        if read.bug is not None:
            # An answer to a bug may change another function of its file: lines put below the faulty one, for example.
            for one in (digest(read.bug.buggy), *read.prints):
                for number in self._prints.get(one, ()):
                    add(number, SAME)
            if _outline(read.tokens) in self._outlines:
                for number in self._renamed.get(names_print(read.language, read.tokens), ()):
                    add(number, RENAMED)
        counts: Counter[int] = Counter()
        for run in self._known_runs(read.tokens):
            numbers = self._runs[run]
            counts.update(numbers if isinstance(numbers, list) else (numbers,))
        for number, n_shared in sorted(counts.items()):
            if n_shared >= self._ids[number][0].least * self._sizes[number]:
                add(number, ALIKE, round(n_shared / self._sizes[number], 2))
        return list(found.values())

    def _known_runs(self, tokens: Sequence[str]) -> set[int]:
        """The hashes of the runs that some benchmark has.

        If the tokens are divided into pieces of half a run, each run has one of them as a whole. Few pieces are known,
        and only the runs around these are looked up.
        """
        if len(tokens) < SIZE:
            return set(map(hash, grams(tokens, SIZE))) & self._runs.keys()
        found: set[int] = set()
        for at in range(0, len(tokens) - HALF + 1, HALF):
            if hash(tuple(tokens[at : at + HALF])) in self._halves:
                found.update(map(hash, grams(tokens[max(0, at - HALF) : at + SIZE], SIZE)))
        return found & self._runs.keys()

    def count(self, name: str, hits: Iterable[Hit], listing: Listing) -> None:
        """Count and list the hits of a row that is in the dataset."""
        for hit in hits:
            hit.known.rows[hit.how] += 1
            hit.known.touched.add(hit.number)
            listing.add(hit.known.name, bug_id=name, like=self.bug_of(hit), how=hit.how, share=hit.share)

    def about(self) -> str:
        """A hash of all that rows are compared with: where it is the same, the same hits are found."""
        found = self._digest.copy()
        found.update(repr([(each.name, each.least, bool(each.problem)) for each in self.benchmarks]).encode())
        return found.hexdigest()

    def bug_of(self, hit: Hit) -> str:
        """The id of a hit's bug."""
        return self._ids[hit.number][1]

    def report(self) -> list[dict[str, Any]]:
        """For each benchmark: its bugs, how many rows have its code in which way, and how many bugs they touch."""
        return [
            {
                "benchmark": each.name,
                "bugs": each.bugs,
                "same": each.rows[SAME],
                "renamed": each.rows[RENAMED],
                "alike": each.rows[ALIKE],
                "touched": len(each.touched),
                "problem": each.problem,
            }
            for each in self.benchmarks
        ]


def _outline(tokens: Sequence[str]) -> tuple[int, ...]:
    """A few counts that are the same under other names; quicker to find than what is behind them."""
    return len(tokens), *map(tokens.count, "(=,.")
