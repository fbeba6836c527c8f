"""Checkpoints that are complete or ignored: marked with a file COMPLETE, found newest first, old ones deleted.

transformers saves in place and resumes the highest number, so a worker killed while saving could not be resumed. Here
a checkpoint counts only once its files, and then the file COMPLETE, are on the disk. COMPLETE contains a line
"CRC SIZE NAME" for each file (CRC-32 in hexadecimal, size in bytes), to detect damaged files.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import zlib
from collections.abc import Collection
from pathlib import Path

log = logging.getLogger(__name__)
SEAL = "COMPLETE"
FIRST_SEAL = "every file of this checkpoint is on the disk\n"  # of the first version, which listed no files
_NUMBERED = re.compile(r"checkpoint-(\d+)")
_SEALED = re.compile(r"([0-9a-f]{8}) ([0-9]{1,19}) ([^\0\n]+)\n")


def seal(folder: Path) -> None:
    """Mark the checkpoint in `folder` as complete, safe against a crash of the process or the machine."""
    (folder / SEAL).unlink(missing_ok=True)  # of an earlier save of the same step, whose files are replaced
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for file in files:
        _sync(file)
    unfinished = folder / f"{SEAL}.tmp"
    with unfinished.open("w", encoding="utf-8") as file_handle:
        file_handle.writelines(f"{_crc(file):08x} {file.stat().st_size} {file.relative_to(folder)}\n" for file in files)
        file_handle.flush()
        os.fsync(file_handle.fileno())
    unfinished.rename(folder / SEAL)  # atomic: COMPLETE exists only with all files that it lists
    _sync(folder)
    _sync(folder.parent)


def complete(checkpoints: Path) -> list[Path]:
    """The complete checkpoints, in the order of their steps."""
    return [path for path in _checkpoints(checkpoints) if (path / SEAL).is_file()]


def newest_complete(checkpoints: Path) -> Path | None:
    """The newest complete checkpoint whose files match COMPLETE, to continue from; None if there is none.

    Incomplete and damaged ones are renamed `incomplete-N` and `damaged-N`, and never read or deleted.
    """
    for path in reversed(_checkpoints(checkpoints)):
        if not (path / SEAL).is_file():
            path.rename(_free_name(checkpoints, "incomplete", step_of(path)))
        elif damage := damage_of(path):
            log.warning("%s is not used: %s", path.name, damage)
            path.rename(_free_name(checkpoints, "damaged", step_of(path)))
        else:
            return path
    return None


def damage_of(checkpoint: Path) -> str:
    """What is damaged in a complete checkpoint; empty if nothing is."""
    name = SEAL
    try:
        written = (checkpoint / SEAL).read_text(encoding="utf-8")
        if written == FIRST_SEAL:
            return ""
        sealed = _SEALED.findall(written)
        if not sealed or "".join(f"{crc} {size} {name}\n" for crc, size, name in sealed) != written:
            return f"{SEAL} is damaged"
        for crc, size, name in sealed:
            file = checkpoint / name
            if not file.is_file():
                return f"{name} is missing"
            if file.stat().st_size != int(size):
                return f"{name} has {file.stat().st_size:,} bytes of {int(size):,}"
            if f"{_crc(file):08x}" != crc:
                return f"{name} was changed since it was saved"
    except UnicodeDecodeError:
        return f"{SEAL} is damaged"
    except OSError as error:
        return f"{name} cannot be read: {error.strerror}"
    return ""


def rotate(checkpoints: Path, keep: int, best: Collection[int] = ()) -> None:
    """Delete the oldest complete checkpoints until `keep` (2 or more) are left, and those of the steps `best`."""
    assert keep >= 2, f"keeping {keep} would leave none if the newest turned out to be damaged"
    for path in complete(checkpoints)[:-keep]:
        if step_of(path) in best:
            continue
        (path / SEAL).unlink()  # first, so that a checkpoint deleted in part does not look complete
        shutil.rmtree(path)


def step_of(checkpoint: Path) -> int:
    """The optimizer step after which it was saved."""
    found = _NUMBERED.fullmatch(checkpoint.name)
    assert found, f"not a checkpoint's name: {checkpoint.name}"
    return int(found[1])


def _checkpoints(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _NUMBERED.fullmatch(path.name)), key=step_of)


def _free_name(folder: Path, kind: str, step: int) -> Path:
    names = [f"{kind}-{step}", *(f"{kind}-{step}-{again}" for again in range(2, 1000))]
    return next(folder / name for name in names if not (folder / name).exists())


def _crc(file: Path) -> int:
    crc = 0
    with file.open("rb") as opened:
        while piece := opened.read(1 << 20):
            crc = zlib.crc32(piece, crc)
    return crc


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
