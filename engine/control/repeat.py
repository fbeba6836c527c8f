"""Repeating a run from its folder: compares its inputs then with its inputs now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.fingerprint import code_version, library_versions, machine_facts, weights_hash
from engine.rundir import Inputs, RunDir


def differences(folder: Path, now: Inputs) -> list[str]:
    """A sentence for each input that differs from when the run in `folder` began. Raises OutsideFailure."""
    then = RunDir(folder).inputs()
    found = []
    if then.dataset_hash and now.dataset_hash and then.dataset_hash != now.dataset_hash:
        found.append(
            f"the dataset has other rows than in the run in {folder} "
            f"({then.dataset_hash[:12]} then, {now.dataset_hash[:12]} now)"
        )
    if then.model is not None and now.model is not None:
        pairs = (("model", then.weights_hash, now.model.path), ("base model", then.base_hash, now.model.base))
        found += [
            f"the {what} has other weights than in the run in {folder} ({before[:12]} then, {after[:12]} now)"
            for what, before, path in pairs
            if before and (after := _hash(path)) and before != after
        ]
    return [*found, *_environment(then, f"for the run in {folder}")] if then.code_version else found


def _environment(then: Inputs, of: str) -> Iterator[str]:
    """A sentence for the program, its libraries and the machine if they differ from when the run began."""
    program = code_version()
    if program != then.code_version:
        yield f"the program has another version than {of} ({then.code_version} then, {program} now)"
    elif program.endswith((".dirty", ".unchecked")):
        yield f"the program may differ from the one {of}: {program} does not tell what was changed since its commit"
    if others := _different(then.versions, library_versions(), "missing"):
        yield f"the libraries differ from those {of} ({others})"
    if others := _different(_shown(then.machine), _shown(machine_facts()), "unknown"):
        yield f"the machine differs from the one {of} ({others})"


def _different(then: Mapping[str, str], now: Mapping[str, str], absent: str) -> str:
    names = sorted(name for name in {**then, **now} if then.get(name, absent) != now.get(name, absent))
    return "; ".join(f"{name} {then.get(name, absent)} then, {now.get(name, absent)} now" for name in names)


def _shown(machine: Mapping[str, Any]) -> dict[str, str]:
    """Facts of a machine as texts; memory in whole GiB, since kernels reserve slightly different amounts."""
    facts = {name: ", ".join(value) if isinstance(value, list) else str(value) for name, value in machine.items()}
    if isinstance(memory_bytes := machine.get("memory_bytes"), int):
        del facts["memory_bytes"]
        facts["memory"] = f"{memory_bytes >> 30} GiB"
    return {name: text or "none" for name, text in facts.items()}


def _hash(path: str) -> str:
    """The hash of the weights; empty if they are not on this machine yet."""
    try:
        return weights_hash(Path(path)) if path and Path(path).is_dir() else ""
    except UserError:
        return ""
