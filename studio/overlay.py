"""Curves of several trainings in the same figures, one colour a run, beside those of one training in charts.py."""

from __future__ import annotations

from collections.abc import Mapping

from studio.charts import ALL, FROM_ZERO, GIB, SERIES, Curve, View, by_step, line

Runs = Mapping[str, Mapping[str, Curve]]  # label of a run -> its curves by metric


def figures(runs: Runs, view: View = ALL) -> list[str]:
    """Loss (that of the evaluation dashed), learning rate, speed and memory, as `monitor.CHARTS` draws them of one."""
    losses = []
    for (label, metrics), color in zip(runs.items(), SERIES, strict=False):
        losses += line(label, metrics.get("loss", ()), color)
        losses += line(f"{label}, evaluation", metrics.get("eval_loss", ()), color, has_points=True, is_dashed=True)
    rate = {**FROM_ZERO, "exponentformat": "e", "showexponent": "all"}
    return [
        by_step("Loss (evaluation: dashed)", losses, view),
        by_step("Learning rate", _each(runs, "learning_rate"), view, rate),
        by_step("Tokens per second", _each(runs, "tokens_per_s"), view, FROM_ZERO),
        by_step("Memory (GiB)", _each(runs, "memory_bytes", GIB), view, FROM_ZERO),
    ]


def _each(runs: Runs, metric: str, unit: float = 1.0) -> list[dict[str, object]]:
    return [
        trace
        for (label, metrics), color in zip(runs.items(), SERIES, strict=False)
        for trace in line(label, [(step, value / unit, at) for step, value, at in metrics.get(metric, ())], color)
    ]
