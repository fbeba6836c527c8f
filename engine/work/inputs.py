"""Records the inputs of a run in its folder at the first start, and compares them at every later start."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.fingerprint import code_version, dataset_hash, library_versions, machine_facts, weights_hash
from engine.rundir import Inputs, RunDir
from engine.specs import KINDS

COMPARED = {  # a run that continues with other data or other weights would mix two results
    "dataset_hash": "the rows of its dataset",
    "weights_hash": "the weights of its model",
    "base_hash": "the weights of its base model",
}


def record_inputs(inputs: Inputs, run: RunDir, kind: str) -> Inputs:
    """Add hashes, versions and machine to `inputs`, whose models are folders, and write them to the run's folder.

    Raises UserError if data or weights are not those with which the run began. Program, libraries and machine may
    differ: those of the first start stay recorded, with what differed at each later start.
    """
    found = _with_start(inputs)
    if inputs.dataset:
        found = replace(found, dataset_hash=dataset_hash(Path(inputs.dataset)))
    if inputs.model is not None and inputs.model.path and KINDS[kind].reads == "weights":
        found = replace(
            found,
            weights_hash=weights_hash(Path(inputs.model.path)),
            base_hash=weights_hash(Path(inputs.model.base)) if inputs.model.base else "",
        )
    for name, what in COMPARED.items():
        before, now = getattr(inputs, name), getattr(found, name)
        if before and before != now:
            raise UserError(
                f"{what} have changed since this run began ({before[:12]} then, {now[:12]} now); start a new run"
            )
    run.write_inputs(found)
    return found


def _with_start(inputs: Inputs) -> Inputs:
    facts: dict[str, Any] = {"code_version": code_version(), "versions": library_versions(), "machine": machine_facts()}
    if not inputs.code_version:
        return replace(inputs, **facts)
    others = {name: now for name, now in facts.items() if now != getattr(inputs, name)}
    return replace(inputs, later_starts=(*inputs.later_starts, {"time": time.time(), **others}))
