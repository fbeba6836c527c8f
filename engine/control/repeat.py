"""A run asked for again from its own folder: what it began with, and what it would begin with now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.fingerprint import code_version, library_versions, machine_facts, weights_hash
from engine.rundir import Inputs, RunDir


def differences(folder: Path, now: Inputs) -> list[str]:
    """A sentence for whatever of the run in `folder` is not as it was when that began; raises OutsideFailure."""
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
    return [*found, *_of_the_start(then, f"for the run in {folder}")] if then.code_version else found


def _of_the_start(then: Inputs, of: str) -> Iterator[str]:
    """What of the program, its libraries and the machine is not as it was when the run began."""
    program = code_version()
    if program != then.code_version:
        yield f"the program is another version than {of} ({then.code_version} then, {program} now)"
    elif program.endswith((".dirty", ".unchecked")):
        yield f"the program may be another one than {of}: {program} does not say what was changed since its commit"
    if others := _unlike(then.versions, library_versions(), "missing"):
        yield f"the libraries are others than {of} ({others})"
    if others := _unlike(_shown(then.machine), _shown(machine_facts()), "unknown"):
        yield f"the machine is another than {of} ({others})"


def _unlike(then: Mapping[str, str], now: Mapping[str, str], absent: str) -> str:
    names = sorted(name for name in {**then, **now} if then.get(name, absent) != now.get(name, absent))
    return "; ".join(f"{name} {then.get(name, absent)} then, {now.get(name, absent)} now" for name in names)


def _shown(machine: Mapping[str, Any]) -> dict[str, str]:
    """Facts of a machine as texts; memory in whole GiB, of which each kernel takes another little for itself."""
    facts = {name: ", ".join(value) if isinstance(value, list) else str(value) for name, value in machine.items()}
    if isinstance(memory_bytes := machine.get("memory_bytes"), int):
        del facts["memory_bytes"]
        facts["memory"] = f"{memory_bytes >> 30} GiB"
    return {name: text or "none" for name, text in facts.items()}


def _hash(path: str) -> str:
    """Empty for weights that are not on this machine yet."""
    try:
        return weights_hash(Path(path)) if path and Path(path).is_dir() else ""
    except UserError:
        return ""
