"""`python -m engine.launchers.remote`: does on this machine what a studio elsewhere asks for, one request at a time.

A request is a JSON object on standard input: `verb`, and the arguments of the function of that name. The answer on
standard output is a line that begins with MARK, with a JSON object, and then the bytes that it counts in `sizes`.
Values of environment variables come in this way only, and are given on in the worker's environment only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import OutsideFailure, UserError
from engine.fingerprint import code_version
from engine.gpus import gpus
from engine.launchers.carried import digest
from engine.launchers.local import Local
from engine.rundir import RunDir
from engine.whole_files import write_whole

MARK = b"repair-studio-answer "
KEY = re.compile(r".+-[0-9a-f]{12}")  # names of runs' folders
AT_ONCE_BYTES = 4 << 20  # of events, and of the log, in one answer
# Files of a run's folder that `look` sends bit by bit, that are written anew for the other side, or that are locks
BY_ITSELF = ("events.jsonl", "log.txt", "spec.json", "inputs.json", "command.txt", "lock", "call.lock", "heartbeat")


@dataclass(frozen=True)
class Answer:
    """What a request came to."""

    values: dict[str, Any]
    parts: Sequence[bytes] = field(default_factory=tuple)


def main() -> int:
    """Answer the request on standard input."""
    try:
        request = json.load(sys.stdin.buffer)
        answer = VERBS[request.pop("verb")](**request)
    except (UserError, OutsideFailure, OSError) as error:
        answer = Answer({"error": str(error), "is_users": isinstance(error, UserError)})
    told = json.dumps({**answer.values, "sizes": [len(part) for part in answer.parts]}).encode()
    sys.stdout.buffer.write(b"\n" + MARK + told + b"\n" + b"".join(answer.parts))
    return 0


def hello(folder: str) -> Answer:
    """The version here, and the home folder for runs, which is created for this user alone."""
    home = Path(folder).expanduser().absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    cards = [gpu.name for gpu in gpus()]
    has_rsync = shutil.which("rsync") is not None
    facts = {"cores": len(os.sched_getaffinity(0)), "gpus": cards, "free_bytes": shutil.disk_usage(home).free}
    return Answer({"version": code_version(), "home": str(home), "has_rsync": has_rsync, **facts})


def prepare(home: str, key: str, digests: Sequence[str]) -> Answer:
    """Create the folder of the run `key`. Which contents are not here, each with the folder to carry it into.

    `is_complete`: all files of the run have come before, and a worker was to be started; `worker`: one runs here now.
    """
    run, missing = RunDir(Path(home) / "runs" / key), {}
    run.artifacts.mkdir(parents=True, exist_ok=True)
    for each in digests:
        if not _content(home, each).is_dir():
            coming = _content(home, f"{each}.{key}.tmp")
            coming.mkdir(parents=True, exist_ok=True)  # what an earlier attempt brought stays
            missing[each] = str(coming)
    worker = Local().find(run.path)
    return Answer({"missing": missing, "is_complete": run.is_complete, "worker": worker})


def keep(home: str, content: str, coming: str, parts: Sequence[str]) -> Answer:
    """Take what was carried into `coming` among the contents. Raises OutsideFailure if it is not that content."""
    came = Path(coming)
    if digest(came, parts) != content:
        shutil.rmtree(came, ignore_errors=True)
        raise OutsideFailure(f"{parts[0]} was changed while it was carried; resume the run")
    try:
        came.rename(_content(home, content))
    except OSError:  # another run brought the same meanwhile
        shutil.rmtree(came, ignore_errors=True)
    return Answer({})


def start(
    folder: str,
    devices: str,
    environment: Mapping[str, str],
    spec: dict[str, Any] | None = None,
    inputs: dict[str, Any] | None = None,
) -> Answer:
    """Start the worker, or tell of the one that an earlier such request has started. Raises UserError."""
    launcher, run = Local(Local.Params(devices=devices)), RunDir(Path(folder))
    launcher.needs()
    worker = launcher.find(run.path)
    if not worker:
        if spec is not None and inputs is not None:
            run.events_path.touch()
            write_whole(run.path / "inputs.json", inputs)
            write_whole(run.path / "spec.json", spec)
        worker = launcher.submit(run.path, environment)
    return Answer({"worker": worker})


def find(folder: str) -> Answer:
    """The worker that runs in a folder."""
    return Answer({"worker": Local().find(Path(folder))})


def stop(folder: str, worker: str, force: bool) -> Answer:
    """As `engine.launchers.Launcher.stop`."""
    Local().stop(worker, Path(folder), force=force)
    return Answer({})


def remove(folder: str, home: str) -> Answer:
    """Remove the folder of a run of this home, and end what still runs there. Raises UserError for any other folder."""
    run = Path(folder)
    if run.parent != Path(home).expanduser().absolute() / "runs" or not KEY.fullmatch(run.name) or run.is_symlink():
        raise UserError(f"{folder} is no run's folder in {home}, so it is not removed")
    if run.is_dir():
        Local().sweep(run)
        shutil.rmtree(run)
    return Answer({})


def look(folder: str, worker: str, events_from: int = -1, log_from: int = 0, inputs_from: float = 0.0) -> Answer:
    """Whether the worker runs, asked first, and then what is new in the run's folder.

    From byte `events_from` of the events, whole lines only, and from `log_from` of the log; -1: neither. The inputs, if
    they were written after the time `inputs_from`. `has_more`: there are more events or more of the log.
    """
    run, launcher = RunDir(Path(folder)), Local()
    is_alive = bool(worker) and launcher.is_alive(worker)
    told: dict[str, Any] = {
        "is_alive": is_alive,
        "is_gone": not run.is_complete,
        "interruption": launcher.interruption(worker) if worker else "",
        "silent_s": run.silent_s(),
    }
    if events_from < 0 or told["is_gone"]:
        return Answer({**told, "has_more": False}, (b"", b""))
    sizes = {path: path.stat().st_size if path.exists() else 0 for path in (run.events_path, run.log)}
    told["has_more"] = max(sizes[run.events_path] - events_from, sizes[run.log] - log_from) > AT_ONCE_BYTES
    events, log = _lines(run.events_path, events_from), _bytes(run.log, log_from)
    told["stamp"] = _stamp(run.path)
    told["written"] = (run.path / "inputs.json").stat().st_mtime
    if told["written"] > inputs_from:
        told["inputs"] = json.loads((run.path / "inputs.json").read_text(encoding="utf-8"))
    return Answer(told, (events, log))


def _stamp(folder: Path) -> str:
    """Changes when a file comes into the run's folder, or grows there; not with those that `look` itself sends."""
    found = []
    for each in os.scandir(folder):
        with suppress(FileNotFoundError):
            status = each.stat(follow_symlinks=False)
            if each.name not in BY_ITSELF:
                found.append(f"{each.name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(found)).encode("utf-8", "replace")).hexdigest()


def _content(home: str, name: str) -> Path:
    return Path(home) / "data" / name


def _bytes(path: Path, start: int) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(start)
        return file.read(AT_ONCE_BYTES)


def _lines(path: Path, start: int) -> bytes:
    """Whole lines from byte `start`, as many as fit, and one if not even that does."""
    with path.open("rb") as file:
        file.seek(start)
        read = file.read(AT_ONCE_BYTES)
        if b"\n" not in read and read:
            read += file.readline()
    return read[: read.rfind(b"\n") + 1]


VERBS: dict[str, Callable[..., Answer]] = {
    each.__name__: each for each in (hello, prepare, keep, start, find, stop, remove, look)
}

if __name__ == "__main__":
    sys.exit(main())
