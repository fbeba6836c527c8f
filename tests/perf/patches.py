"""The Patches page with many patches: a page of the table, a filter, a search, a sort, totals; taking in; exporting."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import many_patches
from figures import Figure

from engine.control.patches import BugQuery
from engine.control.workspace import Workspace

LOOKS = 5
REVIEWED = 2000  # patches, each by two people: some weeks of their work
ASKED = {
    "a page of the table": (BugQuery(), BugQuery(page=200)),
    "a filter": (BugQuery(show="plausible"), BugQuery(show="none_plausible", language="java")),
    "what lacks a review": (BugQuery(show="unreviewed"), BugQuery(show="unreviewed", reviewer="ada")),
    "a search": (BugQuery(search="base_case"), BugQuery(search="nowhere")),
    "a sort": (BugQuery(sort="first"), BugQuery(sort="count"), BugQuery(sort="kind", descending=True)),
}
EXPORT = """
import json, resource, sys, time
from pathlib import Path
from engine.control.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
started = time.perf_counter()
path = workspace.patches.export(int(sys.argv[2]), sys.argv[3])
seconds = time.perf_counter() - started
peak = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))) * 1024
print(json.dumps({"seconds": seconds, "mb": peak / 1e6, "file_mb": path.stat().st_size / 1e6}))
"""


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        many, rate = many_patches.taken_in(workspace, "benchmark", many_patches.benchmark_events())
        yield Figure("events of a benchmark run taken in", rate, "events/s", 750, is_least=True)
        yield from figures(workspace, many, "100,000 patches", 100)
        for form in ("csv", "jsonl", "parquet", "swe-bench", "elle-elle-aime", "bundle"):
            command = [sys.executable, "-c", EXPORT, folder, str(many), form]
            done = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
            print(f"{form}: {done['file_mb']:.0f} MB")
            yield Figure(f"export of 100,000 patches as {form}", done["seconds"], "s", 5)
            yield Figure(f"peak memory of that {form} export", done["mb"], "MB", 200)
        million = many_patches.ten_times(workspace.home, many)
        yield from figures(workspace, million, "1,000,000 patches", 300)
        workspace.close()


def figures(workspace: Workspace, run_id: int, what: str, bar_ms: float) -> Iterator[Figure]:
    bug_id, rank = many_patches.reviewed(workspace.home, run_id, REVIEWED)
    for name in ("ada", "somebody new"):
        bar = median_ms(lambda name=name: workspace.reviews.of_patch(run_id, bug_id, "model", rank, name))
        yield Figure(f"the reviews of a patch for {name}, {what}", bar, "ms", bar_ms)
    for name, queries in ASKED.items():
        slowest = max(median_ms(lambda asked=asked: workspace.patches.page(run_id, asked)) for asked in queries)
        yield Figure(f"{name}, {what}", slowest, "ms", bar_ms)
    yield Figure(f"totals, {what}", median_ms(lambda: workspace.patches.totals(run_id)), "ms", bar_ms)


def median_ms(look: Callable[[], object]) -> float:
    took = []
    for _ in range(LOOKS):
        started = time.perf_counter()
        look()
        took.append(1000 * (time.perf_counter() - started))
    return statistics.median(took)
