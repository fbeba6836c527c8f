"""A chart's tick over 100,000 metric rows: what the server computes and what goes over the wire."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import many_patches
from figures import Figure
from patches import median_ms

from engine.control.workspace import Workspace
from studio.training_curves import CHARTS


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        run, rate = many_patches.taken_in(workspace, "train", many_patches.training_events())
        yield Figure("events of a training taken in", rate, "events/s", 750, is_least=True)

        def tick() -> int:
            metrics = workspace.runs.metrics(run)
            return sum(len(chart.draw({"": metrics}).encode()) for chart in CHARTS)

        yield Figure("chart tick, 100,000 metric rows", median_ms(tick), "ms", 200)
        yield Figure("chart tick on the wire, 100,000 metric rows", tick() / 1024, "KiB", 150)
        yield Figure("warnings, 100,000 metric rows", median_ms(lambda: workspace.runs.warnings(run)), "ms", 200)
        yield Figure(
            "points of 500 steps shown alone",
            len(workspace.runs.metrics(run, 1, 500)["loss"]),
            "points",
            500,
            is_least=True,
        )
        workspace.close()
