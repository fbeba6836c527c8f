"""What an open page costs the server while nothing changes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from figures import Figure
from studio_in_a_browser import browser, cpu_seconds, opened, server

SECONDS = 30
TABS = ("Datasets", "Monitor", "Patches", "Chat")


def measure() -> Iterator[Figure]:
    """The worst tab's share of a core, less what the server works without any page."""
    with server() as made:
        without = share(made, lambda: time.sleep(SECONDS))
        with browser() as chromium:
            page = opened(chromium, made.url)
            costs = []
            for name in TABS:
                page.get_by_role("tab", name=name, exact=True).click()
                page.wait_for_timeout(4000)  # until it is drawn
                costs.append(share(made, lambda: page.wait_for_timeout(1000 * SECONDS)) - without)
    yield Figure("cost of an open page while nothing changes", max(costs), "% of a core", 3.0)


def share(made: object, wait: object) -> float:
    """Percent of a core that the server works meanwhile."""
    before, began = cpu_seconds(made), time.monotonic()
    wait()
    return 100 * (cpu_seconds(made) - before) / (time.monotonic() - began)
