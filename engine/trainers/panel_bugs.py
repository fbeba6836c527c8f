"""Which bugs are in a panel: those that are asked for, without any that the model learns from or has learned from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine import plugin_text, trained_on
from engine.domain import Bug, Model
from engine.errors import OutsideFailure, UserError
from engine.languages.fingerprint import layout_print
from engine.plugins import REPRESENTATIONS
from engine.rundir import RunDir
from engine.trainers.training_settings import TrainingParams

DEFAULT_FORM = "ir4_or2"


@dataclass(frozen=True)
class PanelTrying:
    """The panel's settings as `engine.trainers.trial_bugs.Trying`."""

    benchmark: str
    representation: str
    max_new_tokens: int
    sandbox: str = "auto"
    workers: int | None = None

    @classmethod
    def of(cls, params: TrainingParams, dataset: str) -> PanelTrying:
        """`dataset`: the folder of the training set; empty: there is none."""
        form = params.panel_representation or getattr(params, "representation", "") or _form_of(dataset)
        return cls(params.panel, form, params.panel_new_tokens)


def chosen(bugs: Sequence[Bug], params: TrainingParams, learned: Collection[str]) -> list[Bug]:
    """The panel's bugs, none of which is among the ids `learned`: those that are named, or some spread over all.

    Raises UserError where a named one is not there, or all are learned.
    """
    unknown = sorted({*params.named_bugs} - {bug.id for bug in bugs})
    if unknown:
        known = ", ".join(bug.id for bug in bugs[:3])
        raise UserError(
            f"panel_ids: the panel's benchmark has no {', '.join(unknown[:5])}; its ids are as {known}",
            field="trainer.panel_ids",
        )
    left = [bug for bug in bugs if bug.id not in learned]
    if params.named_bugs:
        left = [bug for bug in left if bug.id in params.named_bugs]
    if bugs and not left:
        raise UserError(
            "panel: the model learns from every bug of it, so their repair would say nothing; choose other bugs, or "
            "another dataset",
            field="trainer.panel",
        )
    count = len(left) if params.named_bugs else min(params.panel_count, len(left))
    return [left[place * len(left) // count] for place in range(count)]


def learned_ids(bugs: Sequence[Bug], model: Model, dataset: str, also: Iterable[Bug]) -> set[str]:
    """The ids of the bugs from which the model learns or has learned.

    That are those of which a row of the training set has the id, or the faulty or the fixed code whatever its layout,
    those whose known fix is that of one in `also`, and those that an ancestor of the model learned from by their tests.
    """
    fixes = {trained_on.fix_print(bug) for bug in also}
    for record in trained_on.records_of(model):
        fixes |= record.fixes
    ids, codes = _rows_of(Path(dataset) / "train.parquet") if dataset else (set[str](), set[bytes]())
    return {
        bug.id
        for bug in bugs
        if bug.id in ids
        or codes & {layout_print(bug.buggy), layout_print(bug.fixed)}
        or (fixes and trained_on.fix_print(bug) in fixes)
    }


def _rows_of(path: Path) -> tuple[set[str], set[bytes]]:
    """The ids of the bugs of a training set ("ID, run 6, rank 1" is one of ID), and prints of their code."""
    ids, codes = set[str](), set[bytes]()
    try:
        with pq.ParquetFile(path) as file:
            columns = [name for name in ("bug_id", "buggy", "fixed") if name in file.schema_arrow.names]
            for batch in file.iter_batches(1000, columns=columns):
                for row in batch.to_pylist():
                    ids.add(str(row.get("bug_id")).partition(", run ")[0])
                    codes |= {layout_print(row[name]) for name in ("buggy", "fixed") if row.get(name)}
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path} cannot be read: {error}", field="dataset") from None
    return ids, codes


def _form_of(dataset: str) -> str:
    """The representation with which a dataset was built, from its run's folder."""
    if not dataset:
        return DEFAULT_FORM
    try:
        told = RunDir(Path(dataset).resolve().parent).spec().get("representation")
        return plugin_text.written(told, REPRESENTATIONS, DEFAULT_FORM)
    except (OutsideFailure, ValueError, TypeError):
        return DEFAULT_FORM
