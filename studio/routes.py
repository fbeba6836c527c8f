"""Our own routes beside Gradio's: changes of a page, answers as they are written, uploads, exports, plotly's script."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from engine.control.chat_exports import file_name as chat_file
from engine.control.dataset_exports import file_name as dataset_file
from engine.control.workspace import Workspace
from engine.errors import OutsideFailure, UserError
from studio.app import Studio
from studio.checked import LARGEST_CALL, number_of
from studio.downloads import NOBODY, Downloads
from studio.spoken import spoken

YEAR_S = 31_536_000
FILES = {"markdown": "text/markdown", "json": "application/json"}  # forms of a conversation


def routes(workspace: Workspace, studio: Studio) -> list[Route]:
    """All need the login. An open page calls `changes` every second, and `look` when something has changed."""
    shape = shape_of(studio)
    script = plotly_script()
    downloads = Downloads(workspace.patches.download)
    of_datasets = Downloads(workspace.datasets.download, dataset_file)

    async def changes(_: Request) -> Response:
        answer = {"stamp": workspace.stamp(), "shape": shape, "now": time.time()}
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def look(request: Request) -> Response:
        page = studio.pages.get(request.path_params["page"])
        try:
            if page is None:
                raise UserError("there is no such page")
            asked = await _object(request)
            values = asked.get("values")
            answer = await run_in_threadpool(page.look, asked.get("sent"), values if isinstance(values, list) else [])
        except UserError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse(answer)

    async def export(request: Request) -> Response:
        try:
            return await downloads.get(request, number_of(request.path_params["run"]), request.path_params["form"])
        except (UserError, OutsideFailure, OSError) as error:
            return PlainTextResponse(str(error), status_code=400)

    async def dataset(request: Request) -> Response:
        try:
            return await of_datasets.get(request, request.path_params["name"], request.path_params["form"])
        except (UserError, OutsideFailure, OSError) as error:
            return PlainTextResponse(str(error), status_code=400)

    async def comparison(request: Request) -> Response:
        runs = [number_of(part) for part in request.path_params["runs"].split(",")]
        k = number_of(request.query_params.get("k", "")) or None
        try:
            compared = await run_in_threadpool(workspace.compare.runs, runs, k)
        except (UserError, OutsideFailure, OSError) as error:
            return PlainTextResponse(str(error), status_code=400)
        name = f"runs-{'-'.join(map(str, runs))}.tex"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return PlainTextResponse(compared.as_latex(), media_type="text/x-tex", headers=headers)

    async def chat(request: Request) -> Response:
        form, number = request.path_params["form"], number_of(request.path_params["chat"])
        to = number_of(request.query_params.get("to", "")) or None
        try:
            text = await run_in_threadpool(workspace.chat_exports.text, number, form, to)
        except (UserError, OutsideFailure, OSError) as error:
            return PlainTextResponse(str(error), status_code=400)
        headers = {"Content-Disposition": f'attachment; filename="{chat_file(number, form)}"'}
        return PlainTextResponse(text, media_type=FILES[form], headers=headers)

    async def live(request: Request) -> Response:
        try:
            answer = await run_in_threadpool(spoken, workspace.chats, number_of(request.path_params["chat"]))
        except (UserError, OSError) as error:
            return PlainTextResponse(str(error), status_code=400)
        return StreamingResponse(answer, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def upload(request: Request) -> Response:
        try:
            with workspace.uploads.receive(request.query_params.get("name", "")) as file:
                async for piece in request.stream():
                    file.write(piece)
        except ClientDisconnect:
            return Response(status_code=NOBODY)
        except (UserError, OutsideFailure, OSError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({"path": str(file.path)})

    async def plotly(_: Request) -> Response:
        headers = {"Cache-Control": f"private, max-age={YEAR_S}, immutable"}  # the address contains the version
        return FileResponse(script, media_type="text/javascript", headers=headers)

    return [
        Route("/studio/changes", _known_only(changes)),
        Route("/studio/look/{page}", _known_only(look), methods=["POST"]),
        Route("/studio/export/{run}.{form}", _known_only(export)),
        Route("/studio/dataset/{form}/{name}", _known_only(dataset)),
        Route("/studio/comparison/{runs}.tex", _known_only(comparison)),
        Route("/studio/chat/{chat}.{form}", _known_only(chat)),
        Route("/studio/chat/{chat}/live", _known_only(live)),
        Route("/studio/upload", _known_only(upload), methods=["POST"]),
        Route("/studio/plotly.js", _known_only(plotly)),
    ]


async def _object(request: Request) -> dict[str, Any]:
    """The JSON object that was sent. Raises UserError on anything else."""
    try:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST_CALL:
                raise UserError(f"a call should be at most {LARGEST_CALL >> 20} MiB long")
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise UserError("a call should be a JSON object")
    return asked


def shape_of(studio: Studio) -> str:
    """A digest of all handlers and fields; a page works with another server only if both have the same one."""
    handlers = [
        (number, each.api_name, [part._id for part in (*each.inputs, *each.outputs)])
        for number, each in studio.blocks.fns.items()
    ]
    return hashlib.blake2b(json.dumps(handlers).encode(), digest_size=8).hexdigest()


def plotly_script() -> Path:
    """The script that comes with the plotly package, found without importing the package."""
    found = find_spec("plotly")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "package_data" / "plotly.min.js"


def _known_only(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """`answer`, only for logged-in users if the studio has a password, as for Gradio's own routes."""

    async def checked(request: Request) -> Response:
        app = request.app
        token = request.cookies.get(f"access-token-{app.cookie_id}")
        token = token or request.cookies.get(f"access-token-unsecure-{app.cookie_id}")
        if app.auth is not None and app.tokens.get(token) is None:
            return JSONResponse({"detail": "Not authenticated"}, status_code=401)
        return await answer(request)

    return checked
