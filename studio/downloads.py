"""Exports for browsers: each is written once at a time for all that ask for it, and no longer than somebody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from engine.control.exports import file_name

AT_ONCE = 2  # exports that are written at a time; each holds one of the few connections to the database
LOOK_S = 0.25  # between two looks whether the browser is still there
NOBODY = 499  # status of an answer that nobody reads, as nginx logs it

Of = int | str  # a run by its number, a dataset by its name
Write = Callable[[Any, str, Event], Path]  # (of what, form, whether nobody waits any more) -> a new file


class Download:
    """One file that is written and sent: it ends with its last reader, and its file with it."""

    def __init__(self, write: Write, room: asyncio.Semaphore, of: Of, form: str) -> None:
        self.readers = 0
        self._given_up = Event()
        self.task = asyncio.create_task(self._written(partial(write, of, form, self._given_up), room))
        self.task.add_done_callback(self._remove_unread)

    async def _written(self, write: Callable[[], Path], room: asyncio.Semaphore) -> Path:
        async with room:
            return await run_in_threadpool(write)

    def leave(self) -> None:
        """One reader less."""
        self.readers -= 1
        if not self.readers:
            self._given_up.set()
            if self.task.done():
                self._remove_unread(self.task)

    def _remove_unread(self, task: asyncio.Task[Path]) -> None:
        if not self.readers and not task.cancelled() and task.exception() is None:
            task.result().unlink(missing_ok=True)


class Downloads:
    """The exports that browsers wait for."""

    def __init__(self, write: Write, called: Callable[[Any, str], str] = file_name) -> None:
        """`called`: (of what, form) -> the name that the file gets in the browser."""
        self._write, self._called = write, called
        self._room = asyncio.Semaphore(AT_ONCE)
        self._writing: dict[tuple[Of, str], Download] = {}

    async def get(self, request: Request, of: Of, form: str) -> Response:
        """The file, once it is written; it is sent to all who asked meanwhile. Raises what writing it raises."""
        download = self._joined(of, form)
        download.readers += 1
        try:
            while not download.task.done():
                if await request.is_disconnected():
                    download.leave()
                    return Response(status_code=NOBODY)
                await asyncio.wait({download.task}, timeout=LOOK_S)
            return _Sent(download.task.result(), download.leave, filename=self._called(of, form))
        except BaseException:
            download.leave()
            raise

    def _joined(self, of: Of, form: str) -> Download:
        """The download of this file that is being written, or a new one."""
        found = self._writing.get((of, form))
        if found is None or not found.readers:
            found = self._writing[of, form] = Download(self._write, self._room, of, form)
            found.task.add_done_callback(lambda _: self._forget(of, form, found))
        return found

    def _forget(self, of: Of, form: str, download: Download) -> None:
        if self._writing.get((of, form)) is download:
            del self._writing[of, form]


class _Sent(FileResponse):
    """A file whose reader leaves when it has been sent, or can no longer be."""

    def __init__(self, path: Path, leave: Callable[[], None], **settings: Any) -> None:
        super().__init__(path, **settings)
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()
