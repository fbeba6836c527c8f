"""Names of what runs make: which are taken, and what a run without a name is called."""

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

# What a run without a name is called, where others refer to its result by name.
AUTOMATIC_NAME = re.compile(rf"({'|'.join(kind for kind, spec in KINDS.items() if spec.makes)})-\d+$")


def check_name(session: Session, kind: str, name: str, *, but: int = 0) -> None:
    """Raises UserError where another result, or a run that will make one, has this name already.

    Call it in the transaction that takes the name, or two runs could take it at once.
    """
    made = KINDS[kind].makes
    if not name or not made:
        return
    if AUTOMATIC_NAME.match(name):
        raise UserError(f"name: {name!r} is how runs without a name are called; choose another name", field="name")
    waiting = queries.runs_in(session, ("queued", *ACTIVE))
    taken = any(run.name == name and KINDS[run.kind].makes == made and run.id != but for run in waiting)
    if made == "dataset":
        taken = taken or queries.dataset_named(session, name) is not None
    else:
        taken = taken or queries.model_named(session, name) is not None or any(entry.name == name for entry in SHIPPED)
    if taken:
        raise UserError(f"name: there is already a {made} called {name!r}; choose another name", field="name")


def given_name(spec: Spec, run_id: int) -> str:
    """What a run without a name is called; results that others refer to by name get a unique one."""
    if isinstance(spec, BenchmarkSpec):
        return f"{Path(spec.model).name} on {spec.benchmark.name}"
    if isinstance(spec, ValidateSpec):
        return f"{Path(spec.file).name or 'check'} on {spec.benchmark.name}"
    if isinstance(spec, ChatSpec):
        return f"chat with {Path(spec.model).name}"
    return f"{getattr(spec, 'kind', '')}-{run_id}"


def next_free(name: str, taken: Collection[str]) -> str:
    """`name`, or with the next number where it is taken: "mine", "mine-2", "mine-3"."""
    stem, _, number = name.rpartition("-")
    stem, first = (stem, int(number)) if stem and number.isdecimal() and len(number) < 6 else (name, 1)
    return next(each for i in count(first) if (each := name if i == first else f"{stem}-{i}") not in taken)
