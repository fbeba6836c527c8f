"""The edge of every handler and of the server: troubles become sentences, and strangers are turned away."""

from __future__ import annotations

import functools
import html
import ipaddress
import logging
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.assets import ASSETS, STYLE
from engine.errors import OutsideFailure, UserError
from studio.theme import theme

log = logging.getLogger("studio")
BROKEN = "Something broke on our side; the studio's log, where it was started, tells what and where."


def guarded(handler: Callable[..., Any]) -> Callable[..., Any]:
    """`handler`, with its troubles shown to the person as escaped sentences; our own faults go to the log."""

    @functools.wraps(handler)
    def inner(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        except gr.Error:
            raise
        except UserError as error:
            raise _shown(str(error), "Please check") from None
        except (OutsideFailure, OSError) as error:
            raise _shown(str(error), "This machine could not do it") from None
        except Exception:
            log.exception("a handler broke: %s", handler.__qualname__)
            raise _shown(BROKEN, "Something broke") from None

    return inner


def _shown(text: str, title: str) -> gr.Error:
    return gr.Error(html.escape(text), title=title, duration=12, print_exception=False)


def on(
    triggers: Any,
    handler: Callable[..., Any],
    inputs: Sequence[Any] | Any = None,
    outputs: Sequence[Any] | Any = None,
    *,
    live: bool = False,
    js: str | None = None,
) -> Any:
    """Connect a guarded handler under a name of its own.

    `live` ones answer timers and typing and never wait in the queue; a `gr.State` they set fires no `change`.
    """
    name = f"{handler.__module__.rpartition('.')[2]}_{handler.__name__}"
    triggers = triggers if isinstance(triggers, list) else [triggers]
    return gr.on(
        triggers,
        guarded(handler),
        inputs,
        outputs,
        api_name=name,
        api_visibility="private",
        show_progress="hidden",
        show_progress_on=[],  # else Gradio's page works through every output, and all in it, at every event
        queue=not live,
        concurrency_limit=None,
        trigger_mode="always_last" if live else "once",
        js=js,
    )


class SameOrigin:
    """Refuses what another web page sends here: 403 before anything is run or stored."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and _is_foreign(scope):
            await PlainTextResponse("requests from other sites are refused", status_code=403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _is_foreign(scope: Scope) -> bool:
    if scope.get("method") in ("GET", "HEAD", "OPTIONS"):
        return False
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return True
    return headers.get("sec-fetch-site") in ("cross-site", "same-site")


def check_bind(host: str, *, has_auth: bool) -> None:
    """Raises UserError where the page would be open to the network without a password."""
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


def settings(home: str, host: str, port: int, auth: tuple[str, str] | None = None) -> dict[str, Any]:
    """How the server is launched: this machine only, nothing of the home folder served, strangers refused."""
    hosts = ["127.0.0.1", "localhost", "[::1]", host]
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
        "head_paths": [ASSETS / "head.html"],
        "app_kwargs": {
            "middleware": [Middleware(TrustedHostMiddleware, allowed_hosts=hosts), Middleware(SameOrigin)],
            "docs_url": None,
            "redoc_url": None,
        },
    }
