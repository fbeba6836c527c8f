"""Samples the memory of a training run between its steps too: this run's and the whole card's, load, heat, power.

The series, all of them ordinary metrics with the step that was finished and the time of their event:
    process_bytes, machine_used_bytes, machine_total_bytes (once)
    gpu0_process_bytes, gpu0_used_bytes, gpu0_total_bytes (once), gpu0_utilisation (percent), gpu0_temperature (degrees
    Celsius), gpu0_power (watts); gpu1_... for the next card that the run sees, in torch's order
Of several processes that train together each samples the card that it trains on, under the number of the process, up to
MOST_CARDS; those that do not lead leave their samples in a file of the run's folder, for the leading one to tell.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from engine import ranks
from engine.events import Metric
from engine.gpus import samples
from engine.main_memory import main_memory
from engine.rundir import RunDir

log = logging.getLogger(__name__)
EVERY_S = 2.0
# A sample each thousandth of the time so far, at least: 1,000 in the first half hour, and then as many again for each
# 2.7 times as long, so a run of a month has 8,000.
RARER = 1000
MOST_CARDS = 16  # of processes that train together; five series of each are rows of the database
TOTAL = "total_bytes"


@contextmanager
def sampling(run: RunDir, step: Callable[[], int], every_s: float = EVERY_S) -> Iterator[None]:
    """Within this context a thread emits samples; `step`: how many optimizer steps are done."""
    ended, begun = threading.Event(), time.monotonic()
    others = _Others(run)

    def watch() -> None:
        is_first = True
        try:
            while True:
                if ranks.own():
                    _leave(run)
                else:
                    run.emit(Metric(step(), sample(with_totals=is_first) | others.told()))
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
    values = {
        "process_bytes": float(psutil.Process().memory_info().rss),
        "machine_used_bytes": float(memory.used_bytes),
    }
    if with_totals:
        values["machine_total_bytes"] = float(memory.total_bytes)
    return values | {name: value for name, value in of_cards().items() if with_totals or not name.endswith(TOTAL)}


def of_cards() -> dict[str, float]:
    """The series of the cards that this process samples, with their totals."""
    if not (uuids := _cards()):
        return {}
    values: dict[str, float] = {}
    for number, card in zip(uuids, samples([*uuids.values()], _of_this_run()), strict=False):  # none without NVML
        told = {} if card is None else vars(card)
        values |= {f"gpu{number}_{name}": float(value) for name, value in told.items() if value is not None}
    return values


class _Others:
    """What the other processes of this training have left since it was last asked for."""

    def __init__(self, run: RunDir) -> None:
        self._run = run
        self._read: dict[int, str] = {}  # what was last found of each process
        self._has_total: set[int] = set()

    def told(self) -> dict[str, float]:
        values: dict[str, float] = {}
        for number in range(1, min(ranks.count(), MOST_CARDS)):
            try:
                text = _left(self._run, number).read_text()
            except FileNotFoundError:
                continue
            if text != self._read.get(number):  # a process that is gone, or its node, leaves the same for ever
                self._read[number] = text
                values |= self._new(number, json.loads(text)["values"])
        return values

    def _new(self, number: int, values: dict[str, float]) -> dict[str, float]:
        is_first = number not in self._has_total
        self._has_total.add(number)
        return {name: value for name, value in values.items() if is_first or not name.endswith(TOTAL)}


def _leave(run: RunDir) -> None:
    """Let the leading process find what this one's card does; nothing where it has none."""
    if ranks.own() < MOST_CARDS and (values := of_cards()):
        path = _left(run, ranks.own())
        whole = path.with_suffix(".part")
        whole.write_text(json.dumps({"time": time.time(), "values": values}))
        whole.replace(path)


def _left(run: RunDir, number: int) -> Path:
    return run.path / ranks.FOLDER / f"{number}.memory"


def _cards() -> dict[int, str]:
    """NVML's names of the GPUs that this process samples, by their numbers in the run.

    Those that it sees, in torch's order; of several processes that train together, the own one of each.
    """
    torch = sys.modules.get("torch")  # a process that never imported torch has nothing on a GPU
    if torch is None or not torch.cuda.is_available():
        return {}
    alone = {number: number for number in range(torch.cuda.device_count())}
    seen = alone if ranks.count() == 1 else {ranks.own(): int(os.environ["LOCAL_RANK"])}
    return {number: f"GPU-{torch.cuda.get_device_properties(index).uuid}" for number, index in seen.items()}


def _of_this_run() -> set[int]:
    """The processes of this session: a launcher starts each worker in one of its own."""
    session, found = os.getsid(0), {os.getpid()}
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) == session:
                found.add(pid)
    return found
