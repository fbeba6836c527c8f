"""Which bugs a model has learned from by their tests, also where that was an ancestor of it.

trained_on.json in a model's folder: {"benchmark": its settings, "fixes": one hash for each known fix}. A model that was
made by a run lies in its folder, whose inputs.json names the models that it was made from, and so on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.domain import Bug, Model
from engine.errors import OutsideFailure, UserError
from engine.languages.fingerprint import fingerprints, layout_print
from engine.params import Params
from engine.plugins import BENCHMARKS
from engine.reading import open_regular
from engine.rundir import RunDir

RECORD = "trained_on.json"
MOST_BYTES = 64 << 20  # of a record: a million bugs
MOST_ANCESTORS = 1000


@dataclass(frozen=True)
class Trained:
    """One record: where it lies, the settings of the benchmark, and hashes of its known fixes."""

    folder: Path
    benchmark: dict[str, Any]
    fixes: frozenset[str]


def write(folder: Path, benchmark: Params, bugs: Iterable[Bug], record: str = RECORD) -> None:
    """Record in a model's folder which bugs it learned from, or in a `record` of another name what else."""
    told = {"benchmark": benchmark.model_dump(mode="json"), "fixes": sorted({fix_print(bug) for bug in bugs})}
    unfinished = folder / f"{record}.tmp"
    unfinished.write_text(json.dumps(told) + "\n", encoding="utf-8")
    unfinished.replace(folder / record)


def records_of(model: Model, record: str = RECORD) -> list[Trained]:
    """The records of the model and of all models that it was made from, as far as their folders are there."""
    return [found for folder in _ancestors(model) if (found := _record(folder, record))]


def check_not_trained_on(model: Model, wanted: Params) -> None:
    """Raises UserError if the model learned from bugs of this benchmark by their tests: its score would say nothing."""
    records = records_of(model)
    if not records:
        return
    benchmark = BENCHMARKS.create(wanted)
    name = wanted.name
    for record in records:
        if getattr(benchmark, "reads_slowly", False):
            shared, what = record.benchmark.get("name") == name, "the bugs of this benchmark"
        else:
            bugs = benchmark.bugs()
            count = sum(fix_print(bug) in record.fixes for bug in bugs)
            shared, what = count > 0, f"{count} of its {len(bugs)} bugs"
        if shared:
            raise UserError(
                f"benchmark: {model.name!r} learned from {what} by their tests (grpo on "
                f"{record.benchmark.get('name')}, {record.folder}), so a score on {name} would say nothing; choose "
                "another benchmark, or another model",
                field="benchmark",
            )


def fix_print(bug: Bug) -> str:
    """The same for the same repaired function, whatever its layout and its file."""
    try:
        return fingerprints(bug)[1].hex()
    except (UserError, ValueError):  # a language that is not read here, or a fix beyond its span
        return layout_print(bug.fixed).hex()


def _ancestors(model: Model) -> Iterator[Path]:
    """The folders of the model, of its base, and of what they were made from; each once."""
    waiting, seen = [model], set[Path]()
    while waiting and len(seen) < MOST_ANCESTORS:
        each = waiting.pop()
        for text in (each.path, each.base):
            folder = Path(text).absolute()
            if not text or folder in seen or not folder.is_dir():
                continue
            seen.add(folder)
            yield folder
            run = RunDir(folder.resolve().parent.parent)
            if folder.name == "model" and run.is_complete:
                try:
                    made_from = run.inputs().model
                except OutsideFailure:  # a damaged run; what it made can be used nevertheless
                    made_from = None
                waiting += [made_from] if made_from else []


def _record(folder: Path, record: str) -> Trained | None:
    try:
        with open(open_regular(folder / record), "rb") as file:
            told = json.loads(file.read(MOST_BYTES))
        return Trained(folder, dict(told["benchmark"]), frozenset(map(str, told["fixes"])))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        raise UserError(
            f"model: {folder / record} is damaged, so nobody can tell which bugs it learned from; train it again",
            field="model",
        ) from None
