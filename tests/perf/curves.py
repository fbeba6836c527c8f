"""A chart's tick over 100,000 metric rows: what the server computes and what goes over the wire."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import many_patches
from figures import Figure
from patches import median_ms

from engine.control.workspace import Workspace
from studio.curve_choices import CurveChoices
from studio.run_figures import curve_figures


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        run, rate = many_patches.taken_in(workspace, "train", many_patches.training_events())
        yield Figure("events of a training taken in", rate, "events/s", 750, is_least=True)

        for look in ("", "time,medium,log"):

            def tick(look: str = look) -> int:
                figures = curve_figures(workspace, [workspace.runs.get(run)], "", CurveChoices.read(look))
                return sum(len(figure.encode()) for figure in figures)

            words = f", {look}" if look else ""
            yield Figure(f"chart tick, 100,000 metric rows{words}", median_ms(tick), "ms", 200)
            yield Figure(f"chart tick on the wire, 100,000 metric rows{words}", tick() / 1024, "KiB", 150)
        yield Figure("warnings, 100,000 metric rows", median_ms(lambda: workspace.runs.warnings(run)), "ms", 200)
        yield Figure(
            "points of 500 steps shown alone",
            len(workspace.runs.metrics(run, 1, 500)["loss"]),
            "points",
            500,
            is_least=True,
        )
        workspace.close()
