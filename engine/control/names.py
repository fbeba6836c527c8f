"""Names of the results of runs: which are taken, and the default names."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import count
from pathlib import Path

from sqlmodel import Session

from engine.control.models import SHIPPED
from engine.errors import UserError
from engine.rundir import ACTIVE
from engine.specs import KINDS, BenchmarkSpec, ChatSpec, Spec, ValidateSpec
from storage import queries

# The default name of a run whose result others refer to by name: "train-7".
AUTOMATIC_NAME = re.compile(rf"({'|'.join(kind for kind, spec in KINDS.items() if spec.makes)})-\d+$")


def check_name(session: Session, kind: str, name: str, *, but: int = 0) -> None:
    """Raises UserError if another result, or a run that will make one, already has this name.

    Call it in the transaction that stores the name, or two runs could get the same one.
    """
    made = KINDS[kind].makes
    if not name or not made:
        return
    if AUTOMATIC_NAME.match(name):
        raise UserError(f"name: {name!r} is reserved for runs without a name; choose another name", field="name")
    waiting = queries.runs_in(session, ("queued", *ACTIVE))
    taken = any(run.name == name and KINDS[run.kind].makes == made and run.id != but for run in waiting)
    if made == "dataset":
        taken = taken or queries.dataset_named(session, name) is not None
    else:
        taken = taken or queries.model_named(session, name) is not None or any(entry.name == name for entry in SHIPPED)
    if taken:
        raise UserError(f"name: there is already a {made} {name!r}; choose another name", field="name")


def default_name(spec: Spec, run_id: int) -> str:
    """The name of a run to which the user gave none; results that others refer to by name get a unique one."""
    if isinstance(spec, BenchmarkSpec):
        return f"{Path(spec.model).name} on {spec.benchmark.name}"
    if isinstance(spec, ValidateSpec):
        return f"{Path(spec.file).name or 'check'} on {spec.benchmark.name}"
    if isinstance(spec, ChatSpec):
        return f"chat with {Path(spec.model).name}"
    return f"{getattr(spec, 'kind', '')}-{run_id}"


def next_free(name: str, taken: Collection[str]) -> str:
    """`name`, or if it is taken, with the next free number: "mine", "mine-2", "mine-3"."""
    stem, _, number = name.rpartition("-")
    stem, first = (stem, int(number)) if stem and number.isdecimal() and len(number) < 6 else (name, 1)
    return next(each for i in count(first) if (each := name if i == first else f"{stem}-{i}") not in taken)
