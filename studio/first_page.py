"""Caches the page itself: Gradio builds the same 380 KiB again for every visitor, which takes 25 ms of a core."""

from __future__ import annotations

from collections import OrderedDict

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_PAGES = 16  # the page contains its own address, so there is one page for each host name and proxy


class FirstPage:
    """Caches the answer to `GET /`. Only without a password: with one, the answer depends on who is logged in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._pages: OrderedDict[tuple[tuple[bytes, bytes], ...], bytes] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            await self.app(scope, receive, send)
            return
        key = tuple(header for header in scope["headers"] if header[0] == b"host" or header[0].startswith(b"x-"))
        if key not in self._pages and (page := await self._forward(scope, receive, send)):
            self._pages[key] = page
            while len(self._pages) > MAX_PAGES:
                self._pages.popitem(last=False)
        elif key in self._pages:
            await Response(self._pages[key], media_type="text/html")(scope, receive, send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> bytes:
        """Let Gradio answer, and return the page; empty if it answered anything else."""
        status, body = 0, b""

        async def record(message: Message) -> None:
            nonlocal status, body
            status = message.get("status", status)
            body += message.get("body", b"")
            await send(message)

        await self.app({**scope, "query_string": b""}, receive, record)  # the page's script reads the query itself
        return body if status == 200 else b""
