"""Samples the memory of a training run between its steps too: this run's and the whole card's, load, heat, power.

The series, all of them ordinary metrics with the step that was finished and the time of their event:
    process_bytes, machine_used_bytes, machine_total_bytes (once)
    gpu0_process_bytes, gpu0_used_bytes, gpu0_total_bytes (once), gpu0_utilisation (percent), gpu0_temperature (degrees
    Celsius), gpu0_power (watts); gpu1_... for the next card that the run sees, in torch's order
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from engine.events import Metric
from engine.gpus import samples
from engine.main_memory import main_memory
from engine.rundir import RunDir

log = logging.getLogger(__name__)
EVERY_S = 2.0
# A sample each thousandth of the time so far, at least: 1,000 in the first half hour, and then as many again for each
# 2.7 times as long, so a run of a month has 8,000.
RARER = 1000


@contextmanager
def sampling(run: RunDir, step: Callable[[], int], every_s: float = EVERY_S) -> Iterator[None]:
    """Within this context a thread emits samples; `step`: how many optimizer steps are done."""
    ended, begun = threading.Event(), time.monotonic()

    def watch() -> None:
        is_first = True
        try:
            while True:
                run.emit(Metric(step(), sample(with_totals=is_first)))
                is_first = False
                if ended.wait(pause(time.monotonic() - begun, every_s)):
                    return
        except Exception:  # what measures must not end what is measured; a full disk is reported by the work itself
            log.warning("the memory is no longer sampled", exc_info=True)

    thread = threading.Thread(target=watch, name="memory", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def pause(so_far: float, every_s: float = EVERY_S) -> float:
    """Seconds until the next sample, so many seconds after the first one."""
    return max(every_s, so_far / RARER)


def sample(*, with_totals: bool = False) -> dict[str, float]:
    """All series that there are here, now."""
    memory = main_memory()
    values = {"process_bytes": psutil.Process().memory_info().rss, "machine_used_bytes": memory.used_bytes}
    if with_totals:
        values["machine_total_bytes"] = memory.total_bytes
    for number, card in enumerate(samples(uuids, _of_this_run()) if (uuids := _cards()) else ()):
        if card is None:
            continue
        of_card = {name: value for name, value in vars(card).items() if with_totals or name != "total_bytes"}
        values |= {f"gpu{number}_{name}": value for name, value in of_card.items() if value is not None}
    return {name: float(value) for name, value in values.items()}


def _cards() -> list[str]:
    """NVML's names of the GPUs that this run sees, in torch's order."""
    torch = sys.modules.get("torch")  # a process that never imported torch has nothing on a GPU
    if torch is None or not torch.cuda.is_available():
        return []
    return [f"GPU-{torch.cuda.get_device_properties(index).uuid}" for index in range(torch.cuda.device_count())]


def _of_this_run() -> set[int]:
    """The processes of this session: a launcher starts each worker in one of its own."""
    session, found = os.getsid(0), {os.getpid()}
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) == session:
                found.add(pid)
    return found
