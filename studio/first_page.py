"""The page itself, answered from memory: Gradio makes the same 380 KiB anew for every visitor, in 25 ms of a core."""

from __future__ import annotations

from collections import OrderedDict

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEPT = 16  # the page names its own address, so there is one for each way to reach it


class FirstPage:
    """Remembers the answer to `GET /`. Only for a studio without a password: there the answer depends on who asks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._pages: OrderedDict[tuple[tuple[bytes, bytes], ...], bytes] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            await self.app(scope, receive, send)
            return
        way = tuple(header for header in scope["headers"] if header[0] == b"host" or header[0].startswith(b"x-"))
        if way not in self._pages and (made := await self._made(scope, receive, send)):
            self._pages[way] = made
            while len(self._pages) > KEPT:
                self._pages.popitem(last=False)
        elif way in self._pages:
            await Response(self._pages[way], media_type="text/html")(scope, receive, send)

    async def _made(self, scope: Scope, receive: Receive, send: Send) -> bytes:
        """Let Gradio answer, and return the page; empty where it answered something else."""
        status, body = 0, b""

        async def noted(message: Message) -> None:
            nonlocal status, body
            status = message.get("status", status)
            body += message.get("body", b"")
            await send(message)

        await self.app({**scope, "query_string": b""}, receive, noted)  # what is asked for is read by the page itself
        return body if status == 200 else b""
