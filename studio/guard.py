"""Wraps every handler and the server: errors become sentences, and requests from other sites are refused."""

from __future__ import annotations

import functools
import html
import ipaddress
import logging
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.assets import ASSETS, STYLE
from engine.errors import OutsideFailure, UserError
from studio.checked import WellFormed, cleaned
from studio.first_page import FirstPage
from studio.theme import theme

log = logging.getLogger("studio")
INTERNAL_ERROR = "An internal error of the studio; its log, in the terminal where it was started, has the details."
QUIET_S = 60.0  # after an error was logged, until the same one is logged again


class RepeatFilter(logging.Filter):
    """Logs the same error at most once a minute, with how often it occurred since."""

    def __init__(self) -> None:
        super().__init__()
        self._logged: dict[tuple[str, int, str], tuple[float, int]] = {}  # when, and how often since

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.exc_info or record.exc_info[1] is None:
            return True
        where = traceback.extract_tb(record.exc_info[1].__traceback__)[-1]
        error = (where.filename, where.lineno or 0, record.getMessage())
        since, again = self._logged.get(error, (-QUIET_S, 0))
        if time.monotonic() - since < QUIET_S:
            self._logged[error] = (since, again + 1)
            return False
        self._logged[error] = (time.monotonic(), 0)
        record.msg = f"{record.msg} (and {again} times since it was last logged)" if again else record.msg
        return True


log.addFilter(RepeatFilter())


def sentence(error: BaseException, handler: Callable[..., Any]) -> str:
    """The message that a user sees for an error, escaped; an internal error is also logged."""
    if isinstance(error, UserError | OutsideFailure | OSError):
        return html.escape(str(error))
    log.error("a handler failed: %s", handler.__qualname__, exc_info=error)
    return INTERNAL_ERROR


def guarded(handler: Callable[..., Any], parts: Sequence[Any] = ()) -> Callable[..., Any]:
    """`handler`, called with checked values of the widgets `parts`; errors are shown as escaped sentences."""

    @functools.wraps(handler)
    def inner(*args: Any) -> Any:
        try:
            return handler(*_checked(args, parts))
        except gr.Error:
            raise
        except (Exception, SystemExit) as error:  # a plug-in must not end the server
            titles = {UserError: "Please check", OutsideFailure: "This machine could not do it"}
            title = titles.get(type(error), titles[OutsideFailure] if isinstance(error, OSError) else "Internal error")
            raise gr.Error(sentence(error, handler), title=title, duration=12, print_exception=False) from None

    return inner


def _checked(args: Sequence[Any], parts: Sequence[Any]) -> Iterator[Any]:
    """The arguments of a handler; those that come from widgets are checked, those that Gradio adds are not."""
    left = iter(parts)
    for value in args:
        is_added = not parts or isinstance(value, gr.EventData | gr.Request)
        yield value if is_added else cleaned(next(left), value)


def on(
    triggers: Any,
    handler: Callable[..., Any],
    inputs: Sequence[Any] | Any = None,
    outputs: Sequence[Any] | Any = None,
    *,
    name: str,
    may_overlap: bool = False,
) -> Any:
    """Connect a guarded handler under a name of its own, "<page>_<what it does>".

    `triggers`: an event or a list of them, or what this function returned, for a handler that follows where that one
    did not fail. Another event while one is still handled is dropped, unless they `may_overlap`.
    """
    parts = [] if inputs is None else list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    is_after = isinstance(triggers, gr.events.Dependency)
    listen = triggers.success if is_after else functools.partial(gr.on, triggers)
    return listen(
        guarded(handler, parts),
        parts,
        outputs,
        preprocess=False,  # a thread for each value, and a traceback for each wrong one: `cleaned` does it instead
        api_name=name,
        trigger_mode="multiple" if may_overlap else None,
        api_visibility="private",
        show_progress="hidden",
        show_progress_on=[],  # else Gradio's script visits every output, and everything in it, at every event
        concurrency_limit=None,
    )


class SameOrigin:
    """Refuses requests that another web page sends: status 403, before anything is run or stored.

    Links from elsewhere to the page itself open it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and _is_foreign(scope):
            await PlainTextResponse("requests from other sites are refused", status_code=403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _is_foreign(scope: Scope) -> bool:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    comes_from_elsewhere = headers.get("sec-fetch-site") in ("cross-site", "same-site")
    if scope.get("method") in ("GET", "HEAD", "OPTIONS"):
        is_link_to_page = scope["path"] == "/" and headers.get("sec-fetch-mode") == "navigate"
        return comes_from_elsewhere and not is_link_to_page
    origin = headers.get("origin")
    return comes_from_elsewhere or (origin is not None and urlsplit(origin).netloc != headers.get("host"))


def check_bind(host: str, *, has_auth: bool) -> None:
    """Raises UserError if the page would be open to the network without a password."""
    if host == "localhost" or has_auth:
        return
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise UserError(
            f"--host {host}: anybody on the network could run code here; keep 127.0.0.1 and use an SSH tunnel, or set "
            "REPAIR_STUDIO_AUTH=name:password"
        )


def settings(
    home: str,
    host: str,
    port: int,
    auth: tuple[str, str] | None,
    page: gr.Blocks,
    routes: Sequence[Route],
    head: str,
) -> dict[str, Any]:
    """Arguments of Gradio's `launch`: this machine only, no file of the home folder served, other sites refused."""
    hosts = ["127.0.0.1", "localhost", "[::1]", host]
    middleware = [
        Middleware(TrustedHostMiddleware, allowed_hosts=hosts),
        Middleware(SameOrigin),
        Middleware(WellFormed, page=page),
        *([] if auth else [Middleware(FirstPage)]),
    ]
    return {
        "server_name": host,
        "server_port": port,
        "share": False,
        "auth": auth,
        "quiet": True,
        "inline": False,
        "show_error": False,
        "allowed_paths": [],
        "blocked_paths": [home],
        "max_file_size": "20mb",
        "enable_monitoring": False,
        "run_history": False,
        "ssr_mode": False,
        "pwa": False,
        "footer_links": [],
        "theme": theme(),
        "css_paths": [STYLE],
        "head": head,
        "head_paths": [ASSETS / "head.html", ASSETS / "follow.html", ASSETS / "forms.html", ASSETS / "chat.html"],
        "app_kwargs": {
            "middleware": middleware,
            "routes": list(routes),
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
        },
    }
