"""Shards that an earlier leading worker has started end with one that fails or is stopped: nobody else sees them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import OutsideFailure, UserError
from engine.launchers import Launcher
from engine.plugins import LAUNCHERS
from engine.rundir import RunDir
from engine.spec import SplitSpec

log = logging.getLogger(__name__)
LOOK_S = 0.5  # between two looks at a shard
AT_ONCE = 32


@contextmanager
def ended_too(spec: SplitSpec, run: RunDir) -> Iterator[None]:
    """If what is done inside fails or is stopped, all shards not known to be done save and end before it is raised.

    As long as one cannot be asked, it is asked again.
    """
    try:
        yield
    except BaseException:
        left: dict[int, str] = {}
        with suppress(OutsideFailure):  # the handles cannot be read
            left = run.handles()
        if left:
            launcher = LAUNCHERS.create(spec.launcher)
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="end") as pool:
                for number, handle in left.items():
                    pool.submit(_end, launcher, number, handle, run.shard(number).path)
            with suppress(OSError):  # a full disk
                run.write_handles({})
        raise


def _end(launcher: Launcher, number: int, handle: str, folder: Path) -> None:
    is_asked = False
    said = ""
    while True:
        try:
            if launcher.is_alive(handle) is False:
                return
            if not is_asked:
                launcher.stop(handle, folder, force=False)
                is_asked = True
        except (OSError, OutsideFailure, UserError) as error:
            if str(error) != said:
                said = str(error)
                log.warning("shard %d cannot be asked to end: %s; it is tried again", number, said)
        time.sleep(LOOK_S)
