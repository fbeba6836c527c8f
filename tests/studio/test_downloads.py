"""However many browsers ask for an export, and however many of them leave: it is written once, and no longer than needed."""

from __future__ import annotations

import asyncio
import threading

import pytest
from starlette.requests import Request

from engine.control.exports import GivenUp
from engine.errors import UserError
from studio import downloads
from studio.downloads import AT_ONCE, NOBODY, Downloads

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}


class Writer:
    """Writes a file of one line as soon as it may; counts how often it was asked, and how many write at a time."""

    def __init__(self, folder):
        self.folder = folder
        self.may_end = threading.Event()
        self.started, self.now, self.most = [], 0, 0

    def __call__(self, run, form, given_up):
        self.started.append((run, form))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            while not self.may_end.wait(0.005):
                if given_up.is_set():
                    raise GivenUp
        finally:
            self.now -= 1
        path = self.folder / f"{len(self.started)}.{form}"
        path.write_text(f"run {run}\n")
        return path


@pytest.fixture
def writer(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "LOOK_S", 0.005)
    return Writer(tmp_path)


async def asked(shared, run, form="csv", leaves=None):
    """(status, body) of one request; its browser hangs up when `leaves` is set."""

    async def receive():
        if leaves is None:
            await asyncio.sleep(3600)
        await leaves.wait()
        return {"type": "http.disconnect"}

    got = []

    async def send(message):
        got.append(message)

    answer = await shared.get(Request(SCOPE, receive), run, form)
    await answer(SCOPE, receive, send)
    return got[0]["status"], b"".join(message.get("body", b"") for message in got)


def test_all_who_ask_meanwhile_get_one_file_which_does_not_stay(writer):
    async def play():
        shared = Downloads(writer)
        waiting = [asyncio.create_task(asked(shared, 7)) for _ in range(20)]
        await asyncio.sleep(0.05)
        writer.may_end.set()
        first = await asyncio.gather(*waiting)
        return first, await asked(shared, 7)

    first, later = asyncio.run(play())
    assert first == [(200, b"run 7\n")] * 20
    assert later == (200, b"run 7\n")
    assert writer.started == [(7, "csv")] * 2, "once for the twenty, and again for the one who asked later"
    assert list(writer.folder.iterdir()) == []


def test_what_nobody_waits_for_any_more_is_not_written(writer):
    async def play():
        shared, leaves = Downloads(writer), asyncio.Event()
        waiting = [asyncio.create_task(asked(shared, run, leaves=leaves)) for run in (1, 1, 1, 2, 3, 4)]
        await asyncio.sleep(0.05)
        stays = asyncio.create_task(asked(shared, 9))
        leaves.set()
        gone = await asyncio.gather(*waiting)
        await asyncio.sleep(0.05)
        still = writer.now
        writer.may_end.set()
        return gone, still, await stays

    gone, still, stays = asyncio.run(play())
    assert gone == [(NOBODY, b"")] * 6
    assert still == 1, "only the one that is still waited for"
    assert stays == (200, b"run 9\n")
    assert writer.most <= AT_ONCE, "each holds a connection to the database"
    assert list(writer.folder.iterdir()) == []


def test_an_error_reaches_everybody_who_waits(tmp_path):
    def refuse(run, form, given_up):
        raise UserError("no such run")

    async def play():
        shared = Downloads(refuse)
        return await asyncio.gather(*(asked(shared, 1) for _ in range(3)), return_exceptions=True)

    assert [str(error) for error in asyncio.run(play())] == ["no such run"] * 3
