"""Which bugs a model's checkpoint was chosen by, also where that was an ancestor of it: a score on them is flattered.

chosen_by.json in a model's folder has the form of trained_on.json (`engine.trained_on`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine import trained_on
from engine.domain import Bug, Model
from engine.params import Params

RECORD = "chosen_by.json"


def write(folder: Path, benchmark: Params, bugs: Iterable[Bug]) -> None:
    """Record in a model's folder by which bugs its checkpoint was chosen."""
    trained_on.write(folder, benchmark, bugs, RECORD)


def caution(model: Model, bugs: Iterable[Bug]) -> str:
    """What is to be said of a score of this model on these bugs; empty if its checkpoint was chosen by none of them."""
    records = trained_on.records_of(model, RECORD)
    if not records:
        return ""
    fixes = frozenset[str]().union(*(record.fixes for record in records))
    found = [trained_on.fix_print(bug) in fixes for bug in bugs]
    if not any(found):
        return ""
    return (
        f"the model's checkpoint was chosen by {sum(found)} of these {len(found)} bugs, so its score on them is too "
        "good; compare it on others"
    )
