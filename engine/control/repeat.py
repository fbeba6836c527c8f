"""A run asked for again from its own folder: what its names meant then, and what they mean now."""

from __future__ import annotations

from pathlib import Path

from engine.errors import UserError
from engine.fingerprint import weights_hash
from engine.rundir import Inputs, RunDir


def differences(folder: Path, now: Inputs) -> list[str]:
    """A sentence for each input of the run in `folder` that is no longer what it was; raises OutsideFailure."""
    then = RunDir(folder).inputs()
    found = []
    if then.dataset_hash and now.dataset_hash and then.dataset_hash != now.dataset_hash:
        found.append(
            f"the training set has other rows than the one of the run in {folder} "
            f"({then.dataset_hash[:12]} then, {now.dataset_hash[:12]} now)"
        )
    if then.model is not None and now.model is not None:
        pairs = (("model", then.weights_hash, now.model.path), ("base model", then.base_hash, now.model.base))
        found += [
            f"the {what} has other weights than the one of the run in {folder} ({before[:12]} then, {after[:12]} now)"
            for what, before, path in pairs
            if before and (after := _hash(path)) and before != after
        ]
    return found


def _hash(path: str) -> str:
    """Empty for weights that are not on this machine yet."""
    try:
        return weights_hash(Path(path)) if path and Path(path).is_dir() else ""
    except UserError:
        return ""
