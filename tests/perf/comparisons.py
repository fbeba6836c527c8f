"""The Compare page with two runs of 10,000 bugs and 100,000 patches each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import many_patches
from figures import Figure
from patches import median_ms

from engine.control.workspace import Workspace


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        runs = [
            many_patches.taken_in(workspace, "benchmark", many_patches.benchmark_events(seed))[0] for seed in (1, 2)
        ]
        compared = workspace.compare.runs(runs)
        assert compared.common > 5000, compared.common  # the others have a candidate that was not run
        yield Figure("two runs of 10,000 bugs compared", median_ms(lambda: workspace.compare.runs(runs)), "ms", 200)
        page = [bug.bug_id for bug in compared.bugs[:12]]
        yield Figure(
            "the verdicts of a page of that comparison",
            median_ms(lambda: workspace.compare.cells(runs, page, 10)),
            "ms",
            200,
        )
        workspace.close()
