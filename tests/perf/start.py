"""How soon the first page comes, in how much memory, and how soon it can be used."""

from __future__ import annotations

import time
from collections.abc import Iterator

from figures import Figure
from studio_in_a_browser import browser, memory_mib, server


def measure() -> Iterator[Figure]:
    """Three starts and five loads; the middle one of each counts."""
    starts, sizes = [], []
    for _ in range(3):
        with server(prepare=None) as made:
            starts.append(made.seconds_to_first_page)
            sizes.append(memory_mib(made))
    yield Figure("first page after the start", middle(starts), "s", 3.0)
    yield Figure("memory of the server at the first page", middle(sizes), "MiB", 250)
    with server() as made, browser() as chromium:
        loads = []
        for _ in range(5):
            page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
            began = time.monotonic()
            page.goto(made.url)
            page.get_by_text("training samples").wait_for()  # drawn from the database
            page.get_by_role("textbox", name="Samples", exact=True).fill("7")  # and typed into
            loads.append(time.monotonic() - began)
            page.context.close()
    yield Figure("page usable after loading", middle(loads), "s", 2.0)


def middle(values: list[float]) -> float:
    """The median of an odd number of values."""
    return sorted(values)[len(values) // 2]
