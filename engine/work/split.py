"""Divides the rows of a dataset into those for training and those for evaluation.

By project, the default, a seeded hash of the project decides, so that rows can be divided as they come; where that
misses the wanted share by far, where the evaluation side has a limit, and for a split by time, the rows are divided
once more when all have come: what a limit leaves out is lost to both sides, so it is left out of the last division.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Set
from hashlib import blake2b
from pathlib import Path

from engine.errors import UserError
from engine.fingerprint import hash_of_sides
from engine.specs import DatasetSpec
from engine.training_set import Row, Shard
from engine.work.tally import Tally

Lose = Callable[[str, str], None]  # (the bug's id, reason)
Place = tuple[bool, int]  # whether a row is for evaluation as far as is known, and its number on that side, from 0


class Split:
    """The two files of a dataset. Memory grows by about 130 bytes for each project and day.

    So it does where rows are divided once more: for each one that a limit then leaves out, and for each unit, which is
    a single bug by chance, or where its project is not known.
    """

    def __init__(self, folder: Path, spec: DatasetSpec, tally: Tally, lose: Lose) -> None:
        self._spec, self._folder, self._tally, self._lose = spec, folder, tally, lose
        self._of_project: Counter[str] = Counter()
        self._days: Counter[str] = Counter()
        self._lost: set[Place] = set()  # by the second division
        self._spots: set[float] = set()  # of the first two units: whether there is more than one
        self._sides = _Sides(folder, spec, tally, lose, has_limits=spec.split == "first")

    @property
    def rows(self) -> dict[str, int]:
        """How many each side has."""
        return {"train": self._sides.train.n_rows, "valid": self._sides.valid.n_rows}

    def add(self, row: Row) -> Place | None:
        """Where the row is kept for now; None: it was counted as lost."""
        most = self._spec.per_project
        if row.project and most is not None:
            if self._of_project[row.project] >= most:
                self._lose(row.bug_id, f"more than {most} samples of its project")
                return None
            self._of_project[row.project] += 1
        if len(self._spots) < 2:
            self._spots.add(self._spot(self._unit(row.bug_id, row.project)))
        if self._spec.split == "time":
            self._days[row.day] += 1
        return self._sides.add(row, self._is_valid(row))

    def close(self) -> Set[Place]:
        """Finish both files, and divide the rows once more where that is needed; returns which were lost by that.

        Raises UserError if the rows should be split by time and no bug has the day of its fix, or if none of the rows
        is left for training.
        """
        self._sides.close()
        self._divide_again()
        rows = self.rows
        if rows["valid"] and not rows["train"]:
            field, advice = "valid_rows", f"fewer than {rows['valid']:,}"
            if self._spec.split == "time":
                field, advice = "split_day", f"a later day than {self._spec.split_day}"
            raise UserError(
                f"{field}: all {rows['valid']:,} samples are for evaluation, none is for training; choose {advice}",
                field=field,
            )
        return self._lost

    def _divide_again(self) -> None:
        """Where that is needed."""
        if self._spec.split == "first":
            return
        if self._spec.split == "time":
            first = self._spec.split_day or self._first_day()
            self._divide(lambda row: row.day >= first)
        elif self._misses_badly():
            chosen = self._chosen()
            self._divide(lambda row: self._unit(row.bug_id, row.project) in chosen)
        elif self._spec.valid_rows is not None or self._spec.valid_per_project is not None:
            self._divide(self._is_valid)

    def hash(self) -> str:
        """SHA-256 over ids and tokens of all rows of both sides, in order."""
        return hash_of_sides(self._sides.train.digest.digest(), self._sides.valid.digest.digest())

    def _unit(self, bug_id: str, project: str) -> str:
        """What is not divided: the project, or the bug alone by chance, or if its project is not known."""
        return bug_id if self._spec.split == "random" else project or bug_id

    def _is_valid(self, row: Row) -> bool:
        if self._spec.split == "first":
            return self._sides.valid.n_rows < (self._spec.valid_rows or 0)
        if self._spec.split == "time":
            return False  # until all days are known
        return self._spot(self._unit(row.bug_id, row.project)) < self._spec.valid_fraction

    def _spot(self, unit: str) -> float:
        """Evenly spread over 0..1, the same for the same seed everywhere."""
        digest = blake2b(f"{self._spec.seed}:{unit}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / (1 << 64)

    def _misses_badly(self) -> bool:
        """Whether the evaluation side has less than a third of its share, more than three times, or all rows."""
        train, valid = self._sides.train.n_rows, self._sides.valid.n_rows
        if len(self._spots) < 2:
            return valid > 0
        return (
            not train or not self._spec.valid_fraction / 3 <= valid / (train + valid) <= self._spec.valid_fraction * 3
        )

    def _chosen(self) -> set[str]:
        """Units for evaluation, in the order of their hash, up to the wanted share; at least one of two or more."""
        shards = (self._sides.train, self._sides.valid)
        rows_of = Counter(self._unit(**values) for shard in shards for values in shard.values(("bug_id", "project")))
        if len(rows_of) < 2 or not self._spec.valid_fraction:
            return set()
        wanted = self._spec.valid_fraction * rows_of.total()
        chosen: set[str] = set()
        n_rows = 0
        for unit in sorted(rows_of, key=self._spot):
            if n_rows + rows_of[unit] <= wanted:
                chosen.add(unit)
                n_rows += rows_of[unit]
        return chosen or {min(rows_of, key=lambda unit: (abs(rows_of[unit] - wanted), self._spot(unit)))}

    def _first_day(self) -> str:
        """The day from which on the fixes are about the wanted share of those of a known day, and never all rows."""
        days = {day: rows for day, rows in self._days.items() if day}
        if not days:
            raise UserError(
                "split: none of these bugs has the day of its fix, which a split by time needs; choose project",
                field="split",
            )
        wanted, n_rows, first = self._spec.valid_fraction * sum(days.values()), 0, "9999-12-31"
        for day in sorted(days, reverse=True):
            if n_rows >= wanted or n_rows + days[day] == self._days.total():
                break
            if n_rows and n_rows + days[day] > 2 * wanted:
                break
            first, n_rows = day, n_rows + days[day]
        return first

    def _divide(self, is_valid: Callable[[Row], bool]) -> None:
        old, self._tally.kept = self._sides, self._tally.nothing_kept()
        self._sides = _Sides(self._folder, self._spec, self._tally, self._lose, ".new", has_limits=True)
        for place, row in old.rows():
            if self._sides.add(row, is_valid(row)) is None:
                self._lost.add(place)
        self._sides.close()
        self._sides.replace(old)


class _Sides:
    """Both files while they are written, and, if asked for, the limits of the evaluation side."""

    def __init__(
        self, folder: Path, spec: DatasetSpec, tally: Tally, lose: Lose, ending: str = "", *, has_limits: bool
    ) -> None:
        self.train, self.valid = Shard(folder / f"train.parquet{ending}"), Shard(folder / f"valid.parquet{ending}")
        self._tally, self._lose = tally, lose
        self._most = (spec.valid_per_project, spec.valid_rows) if has_limits else (None, None)
        self._of_project: Counter[str] = Counter()

    def add(self, row: Row, is_valid: bool) -> Place | None:
        """Where the row is kept; None: the evaluation side is full and takes it not, nor is it trained on."""
        most, in_all = self._most
        if is_valid and most is not None and row.project:
            if self._of_project[row.project] >= most:
                self._lose(row.bug_id, f"more than {most} evaluation samples of its project")
                return None
            self._of_project[row.project] += 1
        if is_valid and in_all is not None and self.valid.n_rows >= in_all:
            self._lose(row.bug_id, f"more than {in_all} evaluation samples")
            return None
        shard = self.valid if is_valid else self.train
        shard.add(row)
        self._tally.keep(row)
        return is_valid, shard.n_rows - 1

    def rows(self) -> Iterator[tuple[Place, Row]]:
        """The rows of the closed files, those for training first."""
        for is_valid, shard in ((False, self.train), (True, self.valid)):
            for number, row in enumerate(shard.rows()):
                yield (is_valid, number), row

    def close(self) -> None:
        self.train.close()
        self.valid.close()

    def replace(self, old: _Sides) -> None:
        """Take the place of the files of another."""
        for new, before in ((self.train, old.train), (self.valid, old.valid)):
            os.replace(new.path, before.path)
            new.path = before.path
