"""What other programs read of a training: its curves as CSV files, and for each checkpoint what was known at it.

`artifacts/curves/train.csv` and `valid.csv` have a row for each point, written while the training runs: `step`,
`epoch`, and a column for each metric, empty where it was not measured. What is measured on rows held out, or on the bug
panel, is in `valid.csv`. `metrics.json` in a checkpoint: {"step", "epoch", "metrics": {name: {"step", "value"}}}, the
last value of each metric and the step of it.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.params import shown
from engine.reading import open_regular

log = logging.getLogger(__name__)
FIRST = ("step", "epoch")
OF_VALIDATION = ("eval_", "plausible_at_", "panel_")  # what begins the names of metrics of rows or bugs held out


class CurveFile:
    """One CSV file of points; a metric that comes later adds its column."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._columns = self._rows()[0]

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append the values of one step; `epoch` among them."""
        new = [name for name in values if name not in self._columns]
        if new or not self._path.exists():
            rows = self._rows()[1]
            self._columns = [*(self._columns or FIRST), *(name for name in new if name not in FIRST)]
            self._write([*rows, {"step": step, **values}])
            return
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns, lineterminator="\n").writerow({"step": step, **values})

    def forget_after(self, step: int) -> None:
        """Leave out the points of later steps: the training continues from this one."""
        columns, rows = self._rows()
        if columns:
            self._write([row for row in rows if int(row["step"]) <= step])

    def _rows(self) -> tuple[list[str], list[dict[str, Any]]]:
        """The names of the columns, and whole rows: the last one of a killed worker may be torn.

        A file that is no such table any more, as after another program has saved it, is put aside.
        """
        try:
            with open(open_regular(self._path), encoding="utf-8", newline="") as file:
                text = file.read()
            reader = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1]))
            rows = [row for row in reader if None not in row and None not in row.values()]
            columns = list(reader.fieldnames or ())
            if columns and columns[: len(FIRST)] != [*FIRST]:
                raise ValueError(f"its columns are {shown(columns[:3])}")
            return columns, [row for row in rows if int(row["step"]) >= 0]
        except FileNotFoundError:
            return [], []
        except (ValueError, csv.Error) as error:
            aside = self._path.with_name(f"{self._path.name}.changed")
            log.warning("%s was changed (%s); it is now %s, and begun anew", self._path, error, aside.name)
            with suppress(FileNotFoundError):  # of several processes, another was first
                self._path.replace(aside)
            return [], []

    def _write(self, rows: list[dict[str, Any]]) -> None:
        unfinished = self._path.with_name(f"{self._path.name}.tmp")
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        unfinished.replace(self._path)


class RunFiles:
    """The curves of one training, and what is known of each metric so far."""

    def __init__(self, artifacts: Path, *, writes: bool = True) -> None:
        """`writes`: not in a process beside which another one, of the same training, writes them."""
        self._writes = writes
        folder = artifacts / "curves"
        folder.mkdir(exist_ok=True, parents=True)
        self._train, self._valid = CurveFile(folder / "train.csv"), CurveFile(folder / "valid.csv")
        self._known: dict[str, tuple[int, float]] = {}

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Write the metrics of one step."""
        epoch = {"epoch": values["epoch"]} if "epoch" in values else {}
        rest = {name: value for name, value in values.items() if name not in FIRST}
        self.know(step, rest)
        if not self._writes:
            return
        valid = {name: value for name, value in rest.items() if name.startswith(OF_VALIDATION)}
        train = {name: value for name, value in rest.items() if name not in valid}
        for file, found in ((self._train, train), (self._valid, valid)):
            if found:
                file.add(step, {**epoch, **found})

    def know(self, step: int, values: Mapping[str, float]) -> None:
        """Take in metrics of an earlier worker, whose points are in the files already."""
        self._known |= {name: (step, value) for name, value in values.items()}

    def continue_from(self, step: int) -> None:
        """Leave out what came after the step from which the training continues."""
        if not self._writes:
            return
        self._train.forget_after(step)
        self._valid.forget_after(step)

    def write_metrics(self, checkpoint: Path, step: int, epoch: float) -> None:
        """Write what is known at a checkpoint into its folder."""
        metrics = {name: {"step": at, "value": value} for name, (at, value) in sorted(self._known.items())}
        told = {"step": step, "epoch": round(epoch, 4), "metrics": metrics}
        (checkpoint / "metrics.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
