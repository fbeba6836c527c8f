"""Reads the curves of one training, or of several, and draws them as it was chosen."""

from __future__ import annotations

from collections.abc import Sequence

from engine.control.views import RunView
from engine.control.workspace import Workspace
from studio.curve_choices import CurveChoices
from studio.training_curves import CHARTS, SMOOTH, Metrics, wanted


def curve_figures(workspace: Workspace, runs: Sequence[RunView], zoom: str, choices: CurveChoices) -> list[str]:
    """The figures of one training, or of several in the same ones; with several, each curve has fewer points."""
    seconds = max((workspace.curves.seconds(run.id) for run in runs), default=0.0) if choices.axis == "time" else 0.0
    view, sight, unit = choices.view(f"run {runs[0].id}", zoom, seconds)
    only, buckets = wanted([workspace.runs.last_metrics(run.id) for run in runs])
    points: dict[str, Metrics] = {}
    smooth: dict[str, Metrics] = {}
    for run in runs:
        read = workspace.curves.read(
            run.id, sight, only=only, smoothed=SMOOTH, smoothing=choices.share, buckets=buckets
        )
        label = f"{run.id} {run.name}"
        points[label], smooth[label] = scaled(read.points, unit), scaled(read.smooth, unit)
    return [chart.draw(points, view, smooth, is_log=choices.scale == "log") for chart in CHARTS]


def scaled(curves: Metrics, unit: float) -> Metrics:
    """Curves whose axis is measured in units of so many seconds."""
    if unit == 1.0:
        return curves
    return {name: [(x / unit, value, at) for x, value, at in points] for name, points in curves.items()}
