"""Checks what a browser sends: each value by the type of its widget, each call by its handler.

Hidden fields are as easy to write to as visible ones, so every value is checked: handlers get values of the type that
their widgets hold, or are not called at all.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import UserError

LONGEST = 200_000  # characters in one field
LARGEST = 2**53 - 1  # the largest whole number that a browser can hold
LARGEST_CALL = 8 << 20  # bytes of one request
CALL = re.compile(r"^/gradio_api/(run|api|queue/join|call)(/|$)")
ANSWERS = "/gradio_api/queue/data"
# What Gradio sends to a page that it does not know, just before it fails with a traceback; the page then reloads.
UNKNOWN_PAGE = 'data: {"msg": "unexpected_error", "message": "", "success": false, "session_not_found": true}\n\n'
UPLOAD = "/gradio_api/upload"  # nothing here takes files in Gradio's way
CALL_FIELDS = {"fn_index", "data", "event_data", "session_hash", "trigger_id"}  # what the page sends, and the tests do
SESSION = re.compile(r"^[\w-]{1,64}$")


def cleaned(part: Any, value: Any) -> Any:
    """The value of one widget in the type that its handler takes. Raises UserError on a value no page of ours sends."""
    if isinstance(part, gr.Number):
        return _number(part, value)
    if isinstance(part, gr.Checkbox):
        return _of_type(part, bool, False if value is None else value)
    if isinstance(part, gr.Radio):
        return None if value is None else _choice(part, value)
    if isinstance(part, gr.Dropdown):
        if part.multiselect:
            return [_choice(part, each) for each in _of_type(part, list, [] if value is None else value)]
        return None if value is None else _choice(part, value)
    return _text(part, "" if value is None else value)


def is_text(value: object) -> bool:
    """Whether it is text that can be stored and shown: valid Unicode, no NUL, at most LONGEST characters."""
    if not isinstance(value, str) or len(value) > LONGEST or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def number_of(text: str) -> int:
    """The whole number in a link or a click; 0 for any other text."""
    return int(text) if text.isdecimal() and len(text) < 12 else 0


def chosen_number(value: object) -> int:
    """The number chosen in a list of numbers; 0 if none is, or text was sent."""
    return value if isinstance(value, int) else 0


def _number(part: Any, value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(part, "a whole number")
    if abs(value) > LARGEST or int(value) != value:
        raise _wrong(part, "a whole number")
    return int(value)


def _choice(part: Any, value: Any) -> Any:
    if isinstance(value, str):
        return _text(part, value)
    if value is None or isinstance(value, list | dict):
        raise _wrong(part, "one of its choices")
    return _number(part, value)


def _text(part: Any, value: Any) -> str:
    if not is_text(value):
        raise _wrong(part, f"plain text of up to {LONGEST:,} characters")
    return str(value)


def _of_type(part: Any, kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise _wrong(part, {bool: "yes or no", list: "a list of choices"}[kind])
    return value


def _wrong(part: Any, wanted: str) -> UserError:
    return UserError(f"{getattr(part, 'label', None) or 'a hidden field'}: should be {wanted}; reload the page")


class WellFormed:
    """Refuses calls that would make Gradio fail with a traceback: status 400 with a sentence."""

    def __init__(self, app: ASGIApp, page: gr.Blocks) -> None:
        self.app, self.page = app, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(ANSWERS) and not self._awaits(scope):
            await Response(UNKNOWN_PAGE, media_type="text/event-stream")(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"].startswith(UPLOAD):
            await Response(status_code=404)(scope, receive, send)
            return
        if scope["type"] != "http" or scope["method"] != "POST" or not CALL.match(scope["path"]):
            await self.app(scope, receive, send)
            return
        body = await _body(receive)
        problem = self.problem(scope["path"], body)
        if problem:
            await JSONResponse({"error": problem, "detail": problem}, status_code=400)(scope, receive, send)
            return
        first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return first.pop() if first else await receive()

        await self.app(scope, again, send)

    def _awaits(self, scope: Scope) -> bool:
        """Whether the page that asks for answers has called anything since the server started."""
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])
        return asked[0] in self.page._queue.pending_messages_per_session

    def problem(self, path: str, body: bytes) -> str:
        """What is wrong with a call; empty if nothing is."""
        if len(body) > LARGEST_CALL:
            return f"a call should be at most {LARGEST_CALL >> 20} MiB long"
        try:
            call = json.loads(body)
        except (ValueError, RecursionError):
            return "a call should be a JSON object"
        if not isinstance(call, dict) or path.startswith("/gradio_api/call"):
            return "call a handler by its number, as the page does"
        number, data = call.get("fn_index"), call.get("data")
        handler = None if isinstance(number, bool) or not isinstance(number, int) else self.page.fns.get(number)
        if handler is None or handler.fn is None:  # those without a function run in the page alone
            return "there is no handler with this number; reload the page"
        if not isinstance(data, list) or len(data) != len(handler.inputs):
            return "data should hold one value for each field of the handler; reload the page"
        if not all(_is_plain(value) for value in data):
            return "values should be text, numbers, true or false, or lists of these"
        event = call.get("event_data")
        if not (_is_plain(event) or (isinstance(event, dict) and "path" not in event and _is_plain([*event.values()]))):
            return "event_data should hold plain values only"
        session = call.get("session_hash")
        if not isinstance(session, str) or not SESSION.match(session):
            return "session_hash should be 1 to 64 letters and digits"
        by = call.get("trigger_id")
        if by is not None and (isinstance(by, bool) or not isinstance(by, int)):
            return "trigger_id should be the number of a widget"
        if call.keys() - CALL_FIELDS:
            return "a call should have only the fields that the page sends"
        return ""


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(each is None or isinstance(each, str | int | float) for each in value)
    return value is None or isinstance(value, str | int | float)


async def _body(receive: Receive) -> bytes:
    """The whole body; of one that is too long, a little more than is allowed."""
    body = b""
    while len(body) <= LARGEST_CALL:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return body
