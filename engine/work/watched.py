"""A worker that ends when the one ends that leads it: on the same machine nobody would see it any more."""

from __future__ import annotations

import os
import signal
import threading
import time

from engine.launchers.local import boot_id, parse_handle, start_time

LEADER = "REPAIR_STUDIO_LEADER"  # in the environment of a worker: the handle of the one that leads it
LOOK_S = 2.0


def end_with_leader() -> None:
    """Watch it in a thread, and ask this process to save and end once it is gone; nothing where there is none."""
    leader = os.environ.pop(LEADER, "")  # what this worker starts has another parent
    if not leader:
        return
    boot, pid, started = parse_handle(leader)

    def watch() -> None:
        while boot == boot_id() and start_time(pid) == started:
            time.sleep(LOOK_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="leader", daemon=True).start()
