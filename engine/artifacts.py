"""A folder among a run's artifacts that is whole or not there, whenever its worker is killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """Fill the folder that this gives; at the end it becomes `folder`, in place of one of an earlier worker."""
    unfinished = folder.with_name(f"{folder.name}.tmp")
    for old in (folder, unfinished):
        if old.exists():
            shutil.rmtree(old)
    unfinished.mkdir(parents=True)
    yield unfinished
    unfinished.rename(folder)
