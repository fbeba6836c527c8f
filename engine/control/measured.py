"""What earlier runs of this home took, for a plan: of those like the planned one, the one that did most."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import results
from engine.control.outcomes import CARDS, SECONDS_BEFORE
from engine.control.runs import Runs
from engine.control.views import RunView
from engine.errors import OutsideFailure
from engine.gpus import gpus
from engine.launchers.priced import PRICES
from engine.rundir import RunDir
from storage import benchmarks, queries
from storage.database import Database

MOST_RUNS = 200  # newest ones that are looked through
MOST_LIKE = 20  # newest ones like the planned one, of which the largest counts
# Settings of a launcher that change nothing about how fast a card or a core works
NOT_SPEED = PRICES | {"nodes", "gpus", "processes", "hours", "requeues", "most_active", "signal_s", "most", "every_s",
                      "gpu_memory_gib"}  # fmt: skip
HERE = ("local", "torchrun")  # launchers whose device is this machine's


@dataclass(frozen=True)
class Measured:
    """One run that is done: its rates as its worker measured them, and on what."""

    run: RunView
    rates: Mapping[str, float]
    cards: int  # 0: the processor
    cores: int | None
    device: str  # in words

    @property
    def seconds(self) -> float:
        return self.run.seconds or 0.0

    @property
    def bytes(self) -> int:
        """Of its folder."""
        return sum(each.stat().st_size for each in Path(self.run.folder).rglob("*") if each.is_file())

    @property
    def told_bytes(self) -> int:
        """Of its events and its log, which a run in shards keeps twice."""
        folder = RunDir(Path(self.run.folder))
        return sum(each.stat().st_size for each in (folder.events_path, folder.log) if each.exists())

    def said(self, words: str) -> str:
        """Where a rate came from: "run 3 on 2 cores: 80 patches in 21 s"."""
        return f"run {self.run.id} on {self.device}: {words}"


def measured(
    runs: Runs, kind: str, like: Callable[[Mapping[str, Any]], object], spec: Mapping[str, Any], of: str
) -> Measured | None:
    """The run that did most of what the rate `of` counts, of those whose specs are `like` this one; None without any.

    A run that was resumed is left out: its last worker measured a part of it. So is one on a device of this machine
    that is another one now.
    """
    wanted = like(spec)
    found: list[Measured] = []
    for run in runs.list(kind=kind, states=("done",), limit=MOST_RUNS):
        if len(found) < MOST_LIKE and SECONDS_BEFORE not in run.result and like(run.spec) == wanted:
            rates = _rates(run)
            if rates.get(of, 0) > 0 and (made := _measured(run, rates)):
                found.append(made)
    return max(found, key=lambda each: each.rates[of], default=None)


def tokens_of(database: Database, run_id: int) -> tuple[int | None, int | None]:
    """Tokens written and prompt tokens read in a benchmark run; None: not known."""
    with database.read() as session:
        return benchmarks.tokens(session, run_id)


def bytes_a_patch(database: Database) -> float:
    """The size of a home's database for each patch in it; 0 where there are none."""
    with database.read() as session:
        patches = queries.patches_in_all(session)
    return database.path.stat().st_size / patches if patches else 0.0


def launcher_of(spec: Mapping[str, Any]) -> str:
    """What of the launcher's settings may change how fast a card is, as text."""
    launcher = spec.get("launcher")
    values = launcher if isinstance(launcher, Mapping) else {"name": launcher}
    return json.dumps({name: value for name, value in values.items() if name not in NOT_SPEED}, sort_keys=True)


def _rates(run: RunView) -> Mapping[str, float]:
    try:
        found: Mapping[str, float] = results.read(run.kind, run.result).rates
    except ValueError:  # stored by an earlier version, which did not check it
        found = {}
    return defaultdict(float, found)  # 0 for what an earlier version did not measure


def _measured(run: RunView, rates: Mapping[str, float]) -> Measured | None:
    try:
        facts = RunDir(Path(run.folder)).inputs().machine
    except OutsideFailure:
        facts = {}
    names = [str(name) for name in facts.get("gpus", ())]
    launcher = run.spec.get("launcher") or {}
    if facts and launcher.get("name") in HERE and names != [gpu.name for gpu in gpus()]:
        return None
    cores = facts.get("cores")
    cards = int(run.result.get(CARDS) or 0)
    device = f"{cards} x {names[0] if names else 'GPU'}" if cards else f"{cores or 'unknown'} cores"
    return Measured(run, rates, cards, cores if isinstance(cores, int) else None, device)
