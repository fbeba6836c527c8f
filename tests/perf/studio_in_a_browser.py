"""A real server on a home of its own, and a real chromium before it."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from filled import fill
from playwright.sync_api import sync_playwright
from web_server import Server

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@contextmanager
def server(*, prepare: Callable[[Path], Any] | None = fill, is_still: bool = True) -> Iterator[Server]:
    """A studio, on a used home or what `prepare` makes of an empty one.

    `is_still`: nothing in it changes by itself, as its supervisor's lock is held here.
    """
    with tempfile.TemporaryDirectory(prefix="perf-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        if prepare:
            prepare(home)
        with (home / "supervisor.lock").open("a") as lock:
            if is_still:
                fcntl.flock(lock, fcntl.LOCK_EX)
            made = Server(home)
            try:
                yield made
            finally:
                made.close()


@contextmanager
def browser() -> Iterator[Any]:
    """Debian's chromium without a window."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


def opened(chromium: Any, url: str) -> Any:
    """A page of the studio with its tabs there."""
    page = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce").new_page()
    page.goto(url)
    page.get_by_role("tab", name="Datasets").wait_for()
    return page


def cpu_seconds(made: Server) -> float:
    """What the server has worked so far."""
    used = psutil.Process(made.process.pid).cpu_times()
    return float(used.user + used.system)


def memory_mib(made: Server) -> float:
    """Resident memory of the server."""
    return float(psutil.Process(made.process.pid).memory_info().rss) / (1 << 20)
