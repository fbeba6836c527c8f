"""A browser that hangs up is no error of ours."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from engine.control.workspace import Workspace
from studio.app import create_app
from studio.downloads import NOBODY
from studio.routes import routes


def test_an_upload_that_is_broken_off_leaves_nothing_and_no_traceback(home):
    workspace = Workspace(home)
    upload = next(each for each in routes(workspace, create_app(workspace)) if each.path == "/studio/upload")
    sent = []
    messages = [
        {"type": "http.request", "body": b"a" * 1000, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/studio/upload", "query_string": b"name=a.csv", "headers": []}
    scope["app"] = SimpleNamespace(auth=None, cookie_id="x")
    asyncio.run(upload.app(scope, receive, send))
    workspace.close()
    assert sent[0]["status"] == NOBODY
    assert list((home / "uploads").iterdir()) == []
