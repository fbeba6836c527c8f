"""What a deleted run has on other machines is removed there too, as far as these answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

from engine.errors import OutsideFailure, UserError
from engine.launchers import HasFolders
from engine.plugins import LAUNCHERS
from engine.rundir import SHARDS
from storage.tables import Run

log = logging.getLogger(__name__)


def remove_elsewhere(run: Run) -> None:
    """Call it before the run's folder is removed, which says where the others are; returns at once."""
    removers: list[Callable[[], None]] = []
    with suppress(UserError, OSError, ValueError, KeyError):  # a launcher that is not installed, a damaged file
        launcher = LAUNCHERS.create(LAUNCHERS.params(run.spec.get("launcher", run.launcher)))
        if isinstance(launcher, HasFolders):
            folders = [Path(run.folder), *(Path(run.folder) / SHARDS).glob("*/")]
            removers = [remover for each in folders if (remover := launcher.remover(each))]
    if removers:  # not a daemon: a shell's command ends once they are removed, or not reached
        Thread(target=_remove, args=(run.id, removers), name="remove").start()


def _remove(run_id: int | None, removers: Sequence[Callable[[], None]]) -> None:
    for remover in removers:
        try:
            remover()
        except (OSError, OutsideFailure, UserError) as error:
            log.warning("run %s is deleted, and a folder of it elsewhere is not: %s", run_id, error)
            return  # the others are on the same machine
