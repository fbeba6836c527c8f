"""`python -m studio`: serve one home folder on one port of this machine."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import socket
import sys
import time
from pathlib import Path

from engine.assets import HOME, HOME_VARIABLE
from engine.errors import OutsideFailure, UserError
from engine.temporary import sweep


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped; returns 2 on an error that is printed as one sentence."""
    options = _parser().parse_args(arguments)
    try:
        return serve(options.home, options.host, options.port)
    except (UserError, OutsideFailure) as error:
        print(f"repair-studio: {error}", file=sys.stderr)
        return 2


def serve(home: Path, host: str, port: int) -> int:
    """Open the workspace, claim it for this studio, and serve the page."""
    from studio.guard import check_bind, settings

    auth = _auth()
    check_bind(host, has_auth=auth is not None)
    _check_port(host, port)
    from engine.control.workspace import Workspace
    from studio.app import create_app
    from studio.routes import routes
    from studio.sessions import MAX_SESSIONS, Sessions

    workspace = Workspace(home)
    address = f"http://{host}:{port}"
    workspace.claim(address)
    workspace.tidy()
    sweep()
    studio = create_app(workspace)
    app = studio.blocks
    app.queue(max_size=64, default_concurrency_limit=None, api_open=False)
    launch = settings(str(workspace.home), host, port, auth, app, routes(workspace, studio), studio.head)
    server, _, _ = app.launch(**launch, state_session_capacity=MAX_SESSIONS, prevent_thread_lock=True)
    server.state_holder = Sessions()  # type: ignore[no-untyped-call]
    server.state_holder.set_blocks(app)
    stop_watching = workspace.watch()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as with Ctrl-C
    print(f"Repair Studio: {address}", flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return 0
    finally:
        stop_watching.set()
        app.close(verbose=False)
        workspace.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studio", description="Serve Repair Studio in the browser.")
    home = os.environ.get(HOME_VARIABLE) or HOME
    parser.add_argument("--home", type=Path, default=home, help="folder where everything is stored")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=7860)
    return parser


def _auth() -> tuple[str, str] | None:
    name, colon, password = os.environ.get("REPAIR_STUDIO_AUTH", "").partition(":")
    return (name, password) if colon and name and password else None


def _check_port(host: str, port: int) -> None:
    """Raises UserError if the port cannot be used."""
    if not 1 <= port <= 65535:
        raise UserError(f"--port: should be 1 to 65535 (got {port})")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise UserError(f"port {port} on {host} {why}; choose another with --port") from None


if __name__ == "__main__":
    sys.exit(main())
