"""Checkpoints that are whole or not there: sealed with COMPLETE, found newest first, rotated only behind a seal.

transformers saves in place and resumes the highest number, so a worker killed while saving could not go on. Here a
checkpoint counts only once its files, and then the file COMPLETE, have reached the disk.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

SEAL = "COMPLETE"
_NUMBERED = re.compile(r"checkpoint-(\d+)")


def seal(folder: Path) -> None:
    """Declare `folder` whole. After this returns, no crash of process or machine undoes it."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        _sync(file)
    unfinished = folder / f"{SEAL}.tmp"
    with unfinished.open("w", encoding="utf-8") as file_handle:
        file_handle.write("every file of this checkpoint is on the disk\n")
        file_handle.flush()
        os.fsync(file_handle.fileno())
    unfinished.rename(folder / SEAL)  # atomic: COMPLETE is there with all that it vouches for, or it is not there
    _sync(folder)
    _sync(folder.parent)


def complete(checkpoints: Path) -> list[Path]:
    """The sealed checkpoints, oldest first, by step."""
    return [path for path in _checkpoints(checkpoints) if (path / SEAL).is_file()]


def newest_complete(checkpoints: Path) -> Path | None:
    """The checkpoint to go on from; unsealed ones are renamed `incomplete-N` and never read or deleted."""
    for path in _checkpoints(checkpoints):
        if not (path / SEAL).is_file():
            path.rename(_free_name(checkpoints, step_of(path)))
    whole = complete(checkpoints)
    return whole[-1] if whole else None


def rotate(checkpoints: Path, keep: int) -> None:
    """Delete the oldest sealed checkpoints until `keep` (2 or more) are left."""
    assert keep >= 2, f"keeping {keep} would leave none if the newest turned out to be damaged"
    for path in complete(checkpoints)[:-keep]:
        (path / SEAL).unlink()  # first, so that a crash in between leaves nothing that looks whole
        shutil.rmtree(path)


def step_of(checkpoint: Path) -> int:
    """Optimizer steps done when it was saved."""
    found = _NUMBERED.fullmatch(checkpoint.name)
    assert found, f"not a checkpoint's name: {checkpoint.name}"
    return int(found[1])


def _checkpoints(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _NUMBERED.fullmatch(path.name)), key=step_of)


def _free_name(folder: Path, step: int) -> Path:
    names = [f"incomplete-{step}", *(f"incomplete-{step}-{again}" for again in range(2, 1000))]
    return next(folder / name for name in names if not (folder / name).exists())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
