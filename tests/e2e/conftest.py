"""The shell as a user types it, and real pages of a real server in a real chromium."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from web_server import Server

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "studio"))
from filled import fill

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class Shell:
    """Runs `repair-studio` with a home folder of the test's own."""

    def __init__(self, home):
        self.home = home

    def __call__(self, *words, code=0, cwd=None):
        done = subprocess.run(
            [sys.executable, "-m", "engine", *words, "--home", str(self.home)],
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
            cwd=cwd,
        )
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words, code=0):
        return json.loads(self(*words, "--json", code=code).stdout)


@pytest.fixture
def shell(home):
    return Shell(home)


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's chromium: apt-get install chromium")
    sync_api.expect.set_options(timeout=30_000)
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def open_page(browser):
    """Opens a page of a server; fails the test on any error in the browser's console, but for those it `may` have."""
    said, contexts = [], []

    def opened(url="", width=1440, height=900, may="AbortError|errored out", **settings):
        # A page that is left or loaded anew cuts the stream it was listening to; that is no error of the page.
        contexts.append(
            browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **settings)
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(30_000)

        def note(text):
            if not any(word in text for word in may.split("|")):
                said.append(text)

        page.on("console", lambda message: note(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: note(str(error)))
        if url:
            page.goto(url)
            page.get_by_role("tab", name="Datasets").wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def server(home):
    made = Server(home)
    yield made
    made.close()


@pytest.fixture
def used_server(home):
    fill(home, hostile=True)
    made = Server(home)
    yield made
    made.close()


@pytest.fixture
def still_server(home):
    """A used one in which nothing happens by itself: its supervisor's lock is held here, so runs stay as they are."""
    fill(home)
    with (home / "supervisor.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = Server(home)
        yield made
        made.close()
