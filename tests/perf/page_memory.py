"""A Monitor page left open over a real training run for a quarter of an hour: the browser's memory stays."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from figures import Figure
from studio_in_a_browser import browser, opened, renderer_mib, server

MINUTES = 15
DATASET = ("dataset", "build", "--set", "builder.samples=200", "--set", "name=small", "--wait")
TRAINING = ("train", "--set", "dataset=small", "--set", "trainer.max_steps=100000", "--set", "trainer.logging_steps=1",
            "--set", "trainer.batch_size=1", "--set", "trainer.save_steps=100000")  # fmt: skip
POINTS = "document.querySelector('.js-plotly-plot')?.data?.[0]?.x.length ?? 0"


def measure() -> Iterator[Figure]:
    """Resident memory of the page's renderer, and what is in it, at the end against the end of the first minute."""
    with server(is_used=False, is_still=False) as made, browser() as chromium:
        for words in (DATASET, TRAINING):
            subprocess.run(
                [sys.executable, "-m", "engine", *words, "--home", str(made.home)], check=True, stdout=sys.stderr
            )
        page = opened(chromium, f"{made.url}/?run=2")
        page.wait_for_function(f"{POINTS} > 1", timeout=300_000)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        began, seen = time.monotonic(), []
        while time.monotonic() - began < 60 * MINUTES:
            page.wait_for_timeout(15_000)
            seen.append({"minute": (time.monotonic() - began) / 60, "MiB": renderer_mib(), **counted(session)})
            seen[-1]["points"] = page.evaluate(POINTS)
            print(seen[-1], flush=True)
    first = max((each for each in seen if each["minute"] <= 1.05), key=lambda each: each["minute"])
    last = seen[-1]
    yield Figure("points drawn while the page was open", last["points"] - first["points"], "points", 100, is_least=True)
    for what, name in (("MiB", "memory"), ("Nodes", "DOM nodes"), ("JSEventListeners", "listeners")):
        ratio = last[what] / first[what]
        yield Figure(f"{name} of an open Monitor page after {MINUTES} minutes", ratio, "of its first minute", 1.5)


def counted(session: Any) -> dict[str, float]:
    """What the page holds, after a garbage collection."""
    session.send("HeapProfiler.collectGarbage")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return {name: metrics[name] for name in ("Nodes", "JSEventListeners", "JSHeapUsedSize")}
