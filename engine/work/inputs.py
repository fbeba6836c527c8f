"""What a run starts from, recorded in its folder at the first start, and compared with it at every later one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.errors import UserError
from engine.fingerprint import code_version, dataset_hash, library_versions, machine_facts, weights_hash
from engine.rundir import Inputs, RunDir
from engine.specs import KINDS

COMPARED = {  # a run that goes on with other data or other weights would mix two results
    "dataset_hash": "the rows of its training set",
    "weights_hash": "the weights of its model",
    "base_hash": "the weights of its base model",
}


def recorded(inputs: Inputs, run: RunDir, kind: str) -> Inputs:
    """`inputs` with hashes, versions and machine, written to the run's folder; their models are folders.

    Raises UserError where data or weights are no longer those with which the run began.
    """
    found = replace(
        inputs, code_version=code_version(), versions=library_versions(), machine=machine_facts(),
        dataset_hash=dataset_hash(Path(inputs.dataset)) if inputs.dataset else "",
    )  # fmt: skip
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
                f"{what} are not those with which this run began ({before[:12]} then, {now[:12]} now); start a new run"
            )
    run.write_inputs(found)
    return found
