"""The server's memory after an hour with a large home open: 10,000 bugs, 100,000 patches, a dataset of 1,000,000 rows.

It takes an hour, so it is measured only where it is named: `make perf ONLY=server_hour`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import large_dataset
import many_patches
from figures import Figure
from filled import fill
from studio_in_a_browser import browser, memory_mib, opened, server

from engine.control.workspace import Workspace

ON_REQUEST = True
HOUR_S = 3600
PAUSE_MS = 5000  # between two clicks of the person
PAGES = 500  # of the ledger that are turned before going back


def measure() -> Iterator[Figure]:
    """Two pages are open all the time; a person turns the pages of the ledger and of the samples, and searches."""
    run: list[int] = []
    with server(prepare=lambda home: run.append(large(home))) as made, browser() as chromium:
        patches = opened(chromium, f"{made.url}/?patches={run[0]}")
        datasets = opened(chromium, f"{made.url}/?dataset=stdlib-faults")
        datasets.get_by_text(re.compile(r"^1 of 1,000,000")).wait_for(timeout=60_000)
        patches.locator("#patch-table").get_by_text(re.compile("000003")).first.wait_for(timeout=60_000)
        began, sizes, turn = time.monotonic(), [memory_mib(made)], 0
        while time.monotonic() - began < HOUR_S:
            turn += 1
            patches.get_by_role("button", name="Previous page" if turn // PAGES % 2 else "Next page").click()
            datasets.get_by_role("button", name="Next", exact=True).locator("visible=true").click()
            if turn % 10 == 0:
                datasets.get_by_role("textbox", name="Search").locator("visible=true").fill(f"bug-{turn * 900}")
            if turn % 10 == 5:
                datasets.get_by_role("textbox", name="Search").locator("visible=true").fill("")
            patches.wait_for_timeout(PAUSE_MS)
            sizes.append(memory_mib(made))
            if turn % 60 == 0:
                print(f"{(time.monotonic() - began) / 60:.0f} min, {turn} turns: {sizes[-1]:.0f} MiB", flush=True)
    print(f"{sizes[0]:.0f} MiB at first, {sizes[-1]:.0f} MiB at the end, {turn} turns")
    yield Figure("most memory of the server in an hour with a large home open", max(sizes), "MiB", 250)


def large(home: Path) -> int:
    """Fill the home; returns the number of the run with the patches."""
    fill(home)
    large_dataset.write(home / "runs" / "1" / "artifacts" / "train.parquet")
    workspace = Workspace(home)
    run, _ = many_patches.taken_in(workspace, "benchmark", many_patches.benchmark_events())
    workspace.close()
    return run
