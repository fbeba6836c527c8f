"""A plan: what a run would take, line by line, each with where its rate came from; arithmetic, nothing is read."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Cluster:
    """Where a run would be; None: as where the rate was measured, and 0 nodes: as its launcher's settings say."""

    nodes: int = 1
    gpus: int | None = None  # of each node
    cores: int | None = None  # of each node

    def cards(self, measured: int) -> int:
        """GPUs of all nodes together; 0 where the processors compute."""
        return self.nodes * (measured if self.gpus is None else self.gpus)


@dataclass(frozen=True)
class Line:
    """One figure of a plan; `source` says where its rate came from, or why it is not known."""

    name: str
    value: float | None
    unit: str  # "s", "h", "tokens", "patches", "bytes", or a currency
    source: str


@dataclass(frozen=True)
class Plan:
    """What a run would take; `first` is the command of a short run that tells what is not known."""

    lines: tuple[Line, ...]
    nodes: int = 1
    cards: int = 0
    serial_s: float | None = None  # of the time, what no further node or GPU makes shorter
    notes: tuple[str, ...] = ()
    first: str = ""

    def line(self, name: str) -> Line | None:
        return next((each for each in self.lines if each.name == name), None)

    @property
    def seconds(self) -> float | None:
        """How long it would take; None: not known."""
        return found.value if (found := self.line(TIME)) else None


PLANNED = ("benchmark", "train", "dataset")  # kinds of run
TIME, GPU_HOURS, READ, WRITTEN, TRAINED, TESTS, DISK, COST = (
    "time", "GPU-hours", "tokens read", "tokens written", "tokens trained on", "patches to test", "disk", "cost",
)  # fmt: skip


@dataclass(frozen=True)
class Repairing:
    """What one bug takes where it was measured: of writing, on one of `cards` GPUs, and of its tests, on one core."""

    writing_s: float
    testing_s: float
    together_s: float  # of both on that machine, as they overlapped
    cards: int
    workers: int


def repairing(bugs: int, each: Repairing, cluster: Cluster, workers: int | None) -> tuple[float, str]:
    """(seconds without the start, what decides them) for so many bugs; `workers`: tests at a time on each node.

    With GPUs, patches are tested while others are written, so the slower of both decides. Without, both share the
    processors, so what they took together is divided by the nodes.
    """
    cards = cluster.cards(each.cards)
    if not cards:
        return bugs * each.together_s / cluster.nodes, "writing and tests share the processor, so both count"
    writing = bugs * each.writing_s / cards
    testing = bugs * each.testing_s / (cluster.nodes * (workers or each.workers))
    if writing >= testing:
        return writing, f"writing decides: the tests would take {testing / writing:.0%} of its time"
    return testing, f"the tests decide: writing would take {writing / testing:.0%} of their time; more cores help"


@dataclass(frozen=True)
class Stepping:
    """What a training takes where it was measured: of a unit of its work, of an evaluation, of a checkpoint."""

    unit_s: float  # of all its cards together
    evaluation_s: float | None  # None: none was measured
    checkpoint_s: float | None
    cards: int


def stepping(units: float, evaluations: int, checkpoints: int, each: Stepping, cards: int) -> tuple[float, float]:
    """(seconds of the steps and evaluations, which processes share; seconds of the checkpoints, which one writes)."""
    shared = units * each.unit_s + evaluations * (each.evaluation_s or 0.0)
    return shared * max(each.cards, 1) / max(cards, 1), checkpoints * (each.checkpoint_s or 0.0)


def times_in(steps: int, every: int) -> int:
    """How often something happens that is done every so many steps, and at the last one."""
    return math.ceil(steps / every) if every else 0
