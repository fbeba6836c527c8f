"""The curves of a training on one axis, and those of several trainings in the same figures, one colour a run."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from studio.charts import (
    ACCENT,
    ALL,
    FROM_ZERO,
    GIB,
    GREEN,
    MIB,
    MUTED,
    SERIES,
    WARM,
    Curve,
    View,
    along,
    line,
    marks,
    wide_legend,
)

Metrics = Mapping[str, Curve]
Runs = Mapping[str, Metrics]  # what a run is called -> its curves
EVALUATION = "eval_"  # begins the name of a metric of the evaluation samples
CHECKPOINT, EVALUATED = "checkpoint", "eval_loss"  # metrics whose points are marks in other figures
MOST_K, MOST_CARDS = 100, 16
MOST_BESIDE_TITLE = 2  # names of curves on the line of the title; three cover it on a phone
MOST_PARTS, FEWEST_PARTS = 500, 30  # of one curve
# The share of a panel's bugs that have a plausible patch among the first k, on an axis of their own from 0 to 1.
PANEL = {f"plausible_at_{k}": f"plausible@{k}" for k in range(1, MOST_K + 1)}
CARDS = range(MOST_CARDS)
CARD_BYTES = tuple(f"gpu{card}_{what}_bytes" for card in CARDS for what in ("process", "used"))
MACHINE_BYTES = ("process_bytes", "machine_used_bytes")
COLORS = (ACCENT, WARM, GREEN, *SERIES[3:])


@dataclass(frozen=True)
class Chart:
    """One figure: its metrics, each with its name there, and its axis."""

    title: str
    metrics: Mapping[str, str]
    y_axis: Mapping[str, Any] = field(default_factory=dict)
    factor: float = 1.0
    is_bytes: bool = False
    is_rare: bool = False  # few trainings have it, so it is not shown while it is empty
    right: Mapping[str, str] = field(default_factory=dict)  # metrics of the axis at the right, each with its name
    right_axis: Mapping[str, Any] = field(default_factory=dict)
    first_of: tuple[tuple[str, ...], ...] = ()  # of one run, only the first of these groups of metrics that it has
    marked: tuple[str, ...] = ()  # metrics whose points are marks
    can_be_log: bool = False
    can_be_smooth: bool = True

    @property
    def all_metrics(self) -> tuple[str, ...]:
        return (*self.metrics, *self.right, *self.marked)

    def used(self, known: Collection[str], *, is_alone: bool = True) -> list[str]:
        """The metrics of the left axis that are drawn of a run that has those in `known`."""
        if not is_alone:
            first = next((name for name in self.metrics if name in known), "")
            return [name for name in (first, f"{EVALUATION}{first}") if name in known]
        group = next((each for each in self.first_of if set(each) & set(known)), self.metrics)
        return [name for name in group if name in known]

    def draw(self, runs: Runs, view: View = ALL, smooth: Runs | None = None, *, is_log: bool = False) -> str:
        """The figure of one run, or of several; empty if it is rare and has no points.

        `smooth`: the means of curves; the curves themselves are then drawn faintly behind.
        """
        has_any = any(run.get(name) for run in runs.values() for name in (*self.metrics, *self.right))
        if self.is_rare and not has_any:
            return ""
        factor, unit = self._unit(runs)
        means = (smooth or {}) if self.can_be_smooth else {}
        drawn = self._of_several if len(runs) > 1 else self._of_one
        traces = drawn(runs, means, factor) if has_any else []
        said = " (evaluation: dashed)" if any("dash" in trace.get("line", ()) for trace in traces) else ""
        axis = {**self.y_axis, **({"type": "log", "exponentformat": "power"} if is_log and self.can_be_log else {})}
        axis |= {"uirevision": f"{view.key} {axis.get('type', '')}"}
        named = [trace for trace in traces if trace.get("showlegend", True)]
        has_legend = len(runs) == 1 and len(named) > 1
        legend = wide_legend(len(named)) if has_legend and len(named) > MOST_BESIDE_TITLE else {}
        title = f"{self.title}{unit}{said}"
        return along(title, traces, view, axis, showlegend=has_legend, right_axis=dict(self.right_axis), **legend)

    def _of_one(self, runs: Runs, smooth: Runs, factor: float) -> list[dict[str, Any]]:
        (label, run), *_ = runs.items()
        means = smooth.get(label, {})
        known = self.used([name for name, points in run.items() if points])
        places = self.metrics if len(self.metrics) < 3 else known
        traces = []
        for name, color in zip(places, cycle(COLORS if len(places) < 4 else SERIES), strict=False):
            if name in known:
                traces += self._curve(self.metrics[name], name, run, means, color, factor)
        for name, color in zip(
            [name for name in self.right if run.get(name)], cycle((GREEN, *SERIES[4:])), strict=False
        ):
            traces += line(self.right[name], run[name], color, has_points=name in PANEL, is_right=True)
        return traces + self._marks(run, MUTED, named=True)

    def _of_several(self, runs: Runs, smooth: Runs, factor: float) -> list[dict[str, Any]]:
        """The first metric that any of them has, the same of the evaluation, and the last of the right axis."""
        first = next((name for name in self.metrics if any(run.get(name) for run in runs.values())), "")
        right = [name for name in self.right if any(run.get(name) for run in runs.values())][-1:]
        traces = []
        for level, ((label, run), color) in enumerate(zip(runs.items(), SERIES, strict=False)):
            name, means = html.escape(label), smooth.get(label, {})
            traces += self._curve(name, first, run, means, color, factor)
            if evaluated := run.get(f"{EVALUATION}{first}"):
                traces += line(name, _scaled(evaluated, factor), color, has_points=True, is_dashed=True)
            for each in right:
                traces += line(f"{name}, {self.right[each]}", run.get(each, ()), color, has_points=True, is_right=True)
            traces += self._marks(run, color, level=level)
        return traces

    def _curve(
        self, label: str, name: str, run: Metrics, means: Metrics, color: str, factor: float
    ) -> list[dict[str, Any]]:
        points, mean = _scaled(run.get(name, ()), factor), _scaled(means.get(name, ()), factor)
        has_points = name.startswith(EVALUATION)
        if not mean or has_points:
            return line(label, points, color, has_points=has_points)
        return line(label, points, color, is_faint=True) + line(label, mean, color)

    def _marks(self, run: Metrics, color: str, *, level: int = 0, named: bool = False) -> list[dict[str, Any]]:
        signs = {CHECKPOINT: ("checkpoint", "triangle-up"), EVALUATED: ("evaluation", "diamond-open")}
        return [
            trace | ({} if named else {"showlegend": False})
            for place, name in enumerate(self.marked)
            for trace in marks(signs[name][0], run.get(name, ()), color, signs[name][1], level + place)
        ]

    def _unit(self, runs: Runs) -> tuple[float, str]:
        if not self.is_bytes:
            return self.factor, ""
        most = max(
            (value for run in runs.values() for name in self.metrics for _, value, _ in run.get(name, ())), default=0
        )
        return (1 / GIB, " (GiB)") if most >= 4 * GIB else (1 / MIB, " (MiB)")


CHARTS = (
    Chart(
        "Loss", {"loss": "training", "eval_loss": "evaluation"}, right=PANEL, marked=(CHECKPOINT,), can_be_log=True,
        right_axis={"range": [0, 1], "tickformat": ".0%", "tickmode": "linear", "tick0": 0, "dtick": 0.25},
    ),
    Chart("Learning rate", {"learning_rate": "rate"}, FROM_ZERO | {"exponentformat": "e", "showexponent": "all"},
          can_be_smooth=False),
    Chart("Tokens per second", {"tokens_per_s": "tokens/s"}, FROM_ZERO),
    Chart(
        "Memory",
        {
            "memory_bytes": "this run",
            **{
                f"gpu{card}_{what}_bytes": f"{words}, card {card}"
                for card in CARDS for what, words in (("process", "this run"), ("used", "all"))
            },
            **dict(zip(MACHINE_BYTES, ("this run", "whole machine"), strict=True)),
        },
        FROM_ZERO, is_bytes=True, first_of=(CARD_BYTES, MACHINE_BYTES, ("memory_bytes",)),
        marked=(CHECKPOINT, EVALUATED), can_be_smooth=False,
    ),
    # the share of target tokens that are the model's first guess
    Chart("Token accuracy (%)", {"token_accuracy": "training", "eval_token_accuracy": "evaluation"}, FROM_ZERO, 100),
    Chart("Gradient norm", {"grad_norm": "norm"}, FROM_ZERO, is_rare=True),
    Chart("Card use (%)", {f"gpu{card}_utilisation": f"card {card}" for card in CARDS}, FROM_ZERO, is_rare=True,
          can_be_smooth=False),
    Chart(
        "Card temperature (°C), power (W, right)",
        {f"gpu{card}_temperature": f"°C, card {card}" for card in CARDS}, FROM_ZERO, is_rare=True, can_be_smooth=False,
        right={f"gpu{card}_power": f"W, card {card}" for card in CARDS}, right_axis=FROM_ZERO | {"tickmode": "auto"},
    ),
    Chart(
        "Reward",  # of a training on verdicts, or on preferences; the parts before their weights
        {
            "reward": "all parts together", "reward_tests": "tests", "reward_compiles": "compiling",
            "reward_length": "shortness", "plausible": "share plausible", "not_run": "share not run",
            "reward_margin": "better above worse", "reward_accuracy": "share better above worse",
            "eval_reward_accuracy": "the same, evaluation",
        },
        is_rare=True,
    ),
)  # fmt: skip
EVERYTHING = 3000  # parts of all curves together, each of which gives two points: some 100 KiB


def wanted(known: Sequence[Collection[str]]) -> tuple[set[str], int]:
    """What is to be read of runs with these metrics, and into how many parts each curve is divided."""
    is_alone = len(known) == 1
    left = {name for chart in CHARTS for each in known for name in chart.used(each, is_alone=is_alone)}
    beside = {name for chart in CHARTS for name in (*chart.right, *chart.marked)}
    number = sum(len((left | beside) & set(each)) for each in known)
    return left | beside, min(MOST_PARTS, max(FEWEST_PARTS, EVERYTHING // max(number, 1)))


METRICS = tuple(dict.fromkeys(name for chart in CHARTS for name in chart.all_metrics))
SMOOTH = tuple(
    name for chart in CHARTS if chart.can_be_smooth for name in chart.metrics if not name.startswith(EVALUATION)
)


def _scaled(points: Curve, factor: float) -> Sequence[tuple[float, float, float]]:
    return points if factor == 1.0 else [(x, value * factor, at) for x, value, at in points]
