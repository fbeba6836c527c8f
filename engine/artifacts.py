"""A folder among a run's artifacts that is complete or does not exist, even if its worker is killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder to fill; at the end it is renamed to `folder`, and replaces that of an earlier worker."""
    unfinished = folder.with_name(f"{folder.name}.tmp")
    for old in (folder, unfinished):
        if old.exists():
            shutil.rmtree(old)
    unfinished.mkdir(parents=True)
    yield unfinished
    unfinished.rename(folder)
