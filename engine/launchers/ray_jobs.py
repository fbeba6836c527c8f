"""Jobs of a Ray cluster, as its dashboard tells, takes and stops them over HTTP.

By Ray's own API for that (https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html), and not
by its Python client: that one lets RAY_ADDRESS overrule the address it is given, waits without end for an answer, and
would load Ray into the studio.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.launchers.ray_folder import LOST as CUT_OFF
from engine.launchers.ray_folder import UNSEEN
from engine.rundir import STOPPED as BY_SIGNAL

PATIENCE_S = 10.0  # for an answer
SUBMITTED_S = 60.0  # for one to a submission, for which the head may have to start a process
FRESH_S = 1.0  # for which all questions about a job are answered by one
WAITS, WORKS, STOPPED, FAILED = "PENDING", "RUNNING", "STOPPED", "FAILED"
LOST = "JOB_SUPERVISOR_ACTOR_DIED"  # Ray's process beside the worker ended: its node, mostly
LATE = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"  # Ray keeps a job waiting for RAY_JOB_START_TIMEOUT_SECONDS, 15 minutes
NOT_RAY = "what answers there is not Ray's dashboard"
NO_COMMAND = (126, 127)  # exit codes of a shell that cannot run a command
ENDED = "JOB_ENTRYPOINT_COMMAND_ERROR"  # the worker's command had another exit code than 0


class NoAnswer(ConnectionError):
    """A cluster does not answer, or not as Ray does; it may later."""


@dataclass(frozen=True)
class Job:
    """A job as Ray tells of it; `node`: Ray's id of it, `ip`: its address, both empty while the job waits."""

    status: str
    message: str
    error: str
    node: str
    ip: str
    exit_code: int | None

    @property
    def is_lost(self) -> bool:
        """Whether it ended since a node was lost, its own or that of one of its processes."""
        return self.error == LOST or (self.error == ENDED and self.exit_code == CUT_OFF)


@dataclass(frozen=True)
class Cluster:
    """A cluster of Ray by its dashboard's address, and the token it wants, if any."""

    address: str
    token: str = ""

    def job(self, name: str, *, is_fresh: bool = False) -> Job | None:
        """The job of this name, at most FRESH_S old unless it has to be fresh; None if the cluster knows none.

        Raises NoAnswer if the cluster does not answer.
        """
        return _asked(self, name, time.monotonic() if is_fresh else int(time.monotonic() / FRESH_S))

    def submit(self, name: str, command: str, wanted: Mapping[str, Any]) -> None:
        """Give the cluster a job, whose name it must not have had before; `wanted`: more fields of Ray's request.

        Raises ValueError with Ray's words if it refuses the job, NoAnswer if it does not answer.
        """
        fields = {"submission_id": name, "entrypoint": command, **wanted}
        self._said("POST", "jobs/", wait_s=SUBMITTED_S, json=fields)

    def stop(self, name: str) -> None:
        """Signal all processes of a job, or let it end as soon as it would start; no effect if there is none."""
        self._said("POST", f"jobs/{quote(name)}/stop")

    def version(self) -> str:
        """Ray's version there. Raises NoAnswer if it does not answer."""
        return str((self._said("GET", "version") or {}).get("ray_version", ""))

    def nodes(self) -> list[dict[str, float]]:
        """What each node that is alive has in total, by Ray's names for it. Raises NoAnswer if it does not answer."""
        found = self._said("GET", "v0/nodes?detail=false") or {}
        try:
            rows = found.get("data", {}).get("result", {}).get("result", [])
            alive = [row["resources_total"] for row in rows if row.get("state") == "ALIVE"]
            return [{str(name): float(amount) for name, amount in each.items()} for each in alive if each]
        except (AttributeError, KeyError, TypeError, ValueError):
            raise self._silent(NOT_RAY) from None

    def active(self) -> int:
        """How many jobs have not ended. Raises NoAnswer if it does not answer."""
        found = self._said("GET", "jobs/", kind=list) or []
        return sum(isinstance(each, dict) and each.get("status") in (WAITS, WORKS) for each in found)

    def _said(self, method: str, path: str, *, wait_s: float = PATIENCE_S, json: Any = None, kind: type = dict) -> Any:
        """The answer, of this kind; None if there is no such thing. Raises ValueError for what is refused, else
        NoAnswer."""
        import httpx2

        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            answer = httpx2.request(method, f"{self.address}/api/{path}", json=json, headers=headers, timeout=wait_s)
            if answer.status_code == httpx2.codes.NOT_FOUND:
                return None
            if answer.status_code == httpx2.codes.BAD_REQUEST:
                raise ValueError(_last_line(answer.text))
            if answer.status_code in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
                raise self._silent("it wants a token: RAY_AUTH_MODE=token with RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH")
            answer.raise_for_status()
        except httpx2.HTTPStatusError as error:
            raise self._silent(_last_line(error.response.text) or str(error)) from None
        except httpx2.HTTPError as error:
            raise self._silent(str(error) or type(error).__name__) from None
        with suppress(ValueError, RecursionError):
            if isinstance(found := answer.json(), kind):
                return found
        raise self._silent(NOT_RAY)

    def _silent(self, why: str) -> NoAnswer:
        return NoAnswer(f"Ray does not answer at {self.address}: {why}")


@lru_cache(maxsize=1000)
def _asked(cluster: Cluster, name: str, period: float) -> Job | None:
    found = cluster._said("GET", f"jobs/{quote(name)}")
    if found is None:
        return None
    if not isinstance(found.get("status"), str):
        raise cluster._silent(NOT_RAY)
    ip = str(found.get("driver_agent_http_address") or "").partition("://")[2].rpartition(":")[0]
    status, message, error, node = (
        str(found.get(key) or "") for key in ("status", "message", "error_type", "driver_node_id")
    )
    return Job(status, message, error, node, ip, found.get("driver_exit_code"))


def why_failed(found: Job, what: str, node: str) -> str:
    """Why a job failed that Ray ended; empty if its worker failed, which says so itself."""
    lines = [line.strip() for line in found.message.splitlines() if line.strip()]
    said, where = (lines[-1] if lines else ""), node or found.ip
    if found.is_lost and found.error == ENDED:
        return f"{what} lost a node of {where}"
    if found.is_lost:
        return f"{what} lost its node {where} ({said})"
    if found.error != ENDED:
        return f"{what} could not be started ({said})"
    if found.exit_code == UNSEEN:
        return f"{what} could not be started: {said}; give the studio a --home on a file system that all nodes share"
    if found.exit_code in NO_COMMAND or (not node and found.exit_code == 1):
        what += f" could not be started on {where}: {said}"
        return f"{what}; name the Python there that has the studio as launcher.python"
    return f"{what} was ended on {where}, and not by the studio" if found.exit_code == BY_SIGNAL else ""


def token() -> str:
    """The user's token for clusters that want one, found as Ray does; empty if RAY_AUTH_MODE does not ask for it."""
    if os.environ.get("RAY_AUTH_MODE", "") != "token":
        return ""
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or "~/.ray/auth_token").expanduser()
    try:
        return os.environ.get("RAY_AUTH_TOKEN") or path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip(" .")]
    return lines[-1].strip()[:500] if lines else ""
