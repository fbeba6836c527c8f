"""The server's memory after a day's light use, compressed into minutes: pages loaded, clicked, closed."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Iterator

from clients import PAGES, Person
from figures import Figure
from studio_in_a_browser import memory_mib, server
from web_server import Server

LOADS = 1000  # pages loaded, used and closed
LOOKS = 10  # at each


def measure() -> Iterator[Figure]:
    """Growth after the first fifty pages, when all code is imported and all caches are there."""
    with server() as made:
        config = json.loads(made.request("/config")[1])
        use(made, config, 0, 50)
        before = memory_mib(made)
        use(made, config, 50, 50 + LOADS)
        time.sleep(3)
        after = memory_mib(made)
    print(f"{before:.0f} MiB after 50 pages, {after:.0f} MiB after {LOADS} more with {LOADS * LOOKS} looks")
    yield Figure(f"growth of the server over {LOADS} pages and {LOADS * LOOKS} looks", after - before, "MiB", 30)


def use(made: Server, config: dict[str, object], first: int, end: int) -> None:
    """Pages one after the other; something in the workspace changes at every look."""
    drawn = random.Random(first)
    with sqlite3.connect(made.home / "studio.db", isolation_level=None) as database:
        for number in range(first, end):
            person = Person(number, made.port, config)
            person.ask("GET", "/")
            for _ in range(LOOKS):
                database.execute("UPDATE run SET progress_done = progress_done + 1 WHERE id = 7")
                page = drawn.choice(PAGES)
                fields = [person.values[field] for field in person.handlers[f"{page}_look"]["inputs"]]
                person.ask("GET", "/studio/changes")
                person.ask("POST", f"/studio/look/{page}", {"sent": None, "values": fields})
            person.click("monitor_choose")
            person.click("chat_choose")
            assert person.failures == [], person.failures
