"""The curves of a training on the step axis, and those of several trainings in the same figures, one colour a run."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studio.charts import ACCENT, ALL, FROM_ZERO, GIB, MIB, SERIES, WARM, Curve, View, by_step, line

Metrics = Mapping[str, Curve]
Runs = Mapping[str, Metrics]  # what a run is called -> its curves
EVALUATION = "eval_"  # begins the name of a metric of the evaluation samples


@dataclass(frozen=True)
class Chart:
    """One figure: its metrics, each with its name there, and its axis."""

    title: str
    metrics: Mapping[str, str]
    y_axis: Mapping[str, Any] = field(default_factory=dict)
    factor: float = 1.0
    is_bytes: bool = False
    is_rare: bool = False  # few trainings have it, so it is not shown while it is empty

    def draw(self, runs: Runs, view: View = ALL) -> str:
        """The figure of one run, or of several; empty if it is rare and has no points."""
        if self.is_rare and not any(run.get(name) for run in runs.values() for name in self.metrics):
            return ""
        factor, unit = self._unit(runs)
        traces = self._of_several(runs, factor) if len(runs) > 1 else self._of_one(next(iter(runs.values())), factor)
        said = " (evaluation: dashed)" if any("dash" in trace["line"] for trace in traces) else ""
        has_legend = len(runs) == 1 and len(self.metrics) > 1
        return by_step(f"{self.title}{unit}{said}", traces, view, {**self.y_axis}, showlegend=has_legend)

    def _of_one(self, run: Metrics, factor: float) -> list[dict[str, Any]]:
        known = [name for name in self.metrics if run.get(name)]
        colors = (ACCENT, WARM) if len(self.metrics) < 3 else SERIES
        colored = zip(self.metrics if len(self.metrics) < 3 else known, colors, strict=False)
        return [
            trace
            for name, color in colored
            for trace in line(
                self.metrics[name],
                _scaled(run.get(name, ()), factor),
                color,
                has_points=name.startswith(EVALUATION),
            )
        ]

    def _of_several(self, runs: Runs, factor: float) -> list[dict[str, Any]]:
        """The first metric that any of them has, and the same of the evaluation."""
        first = next((name for name in self.metrics if any(run.get(name) for run in runs.values())), "")
        return [
            trace
            for (label, run), color in zip(runs.items(), SERIES, strict=False)
            for name in (first, f"{EVALUATION}{first}")
            for trace in line(
                html.escape(label),
                _scaled(run.get(name, ()), factor),
                color,
                has_points=name != first,
                is_dashed=name != first,
            )
        ]

    def _unit(self, runs: Runs) -> tuple[float, str]:
        if not self.is_bytes:
            return self.factor, ""
        most = max(
            (value for run in runs.values() for name in self.metrics for _, value, _ in run.get(name, ())), default=0
        )
        return (1 / GIB, " (GiB)") if most >= 4 * GIB else (1 / MIB, " (MiB)")


CHARTS = (
    Chart("Loss", {"loss": "training", "eval_loss": "evaluation"}),
    Chart("Learning rate", {"learning_rate": "rate"}, FROM_ZERO | {"exponentformat": "e", "showexponent": "all"}),
    Chart("Tokens per second", {"tokens_per_s": "tokens/s"}, FROM_ZERO),
    Chart("Memory", {"memory_bytes": "memory"}, FROM_ZERO, is_bytes=True),
    # the share of target tokens that are the model's first guess
    Chart("Token accuracy (%)", {"token_accuracy": "training", "eval_token_accuracy": "evaluation"}, FROM_ZERO, 100),
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
METRICS = tuple(name for chart in CHARTS for name in chart.metrics)


def _scaled(points: Curve, factor: float) -> Sequence[tuple[int, float, float]]:
    return points if factor == 1.0 else [(step, value * factor, at) for step, value, at in points]
