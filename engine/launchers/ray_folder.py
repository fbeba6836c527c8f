"""What the launcher of a Ray job and the worker on its node leave for each other in the run's folder.

    ray.json    the run's newest job, written by the launcher before it is given to Ray
    ray.node    the job that has begun, and on which node, written there
    .ray-environment.json   the worker's own variables, of mode 0600
    kill.asked  as `stop.asked` (`engine.requeued`), for a worker that is not to save
    save.asked  for the first of several processes: Ray ends them, and no user does

A file reaches every node that sees the folder, also while the cluster's head is away.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from engine import ranks, requeued
from engine.whole_files import write_whole

NOTE, BEGUN, KILL, SAVE, SECRETS = "ray.json", "ray.node", "kill.asked", "save.asked", ".ray-environment.json"
UNSEEN, LOST = 75, ranks.CUT_OFF  # exit codes of a job: its node cannot use the folder; another node was lost


@dataclass(frozen=True)
class Note:
    """A run's newest job: its name and the cluster's address, its number, nodes lost before it, whether it was ended
    before it began, and whether Ray has said that it has it."""

    job: str = ""
    address: str = ""
    number: int = 0
    lost: int = 0
    is_stopped: bool = False
    is_taken: bool = True

    def write(self, folder: Path) -> None:
        write_whole(folder / NOTE, asdict(self))


def read_note(folder: Path) -> Note | None:
    """The launcher's note in a run's folder; None if there is none to be read."""
    try:
        return Note(**json.loads((folder / NOTE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def begun(folder: Path, job: str) -> str:
    """The name of the node where this job's worker was started; empty if it was not."""
    try:
        found = json.loads((folder / BEGUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(found.get("host", "")) if found.get("job") == job else ""


def begin(folder: Path, variables: Mapping[str, str]) -> None:
    """Nothing is asked of the next worker, which gets these variables."""
    requeued.begin(folder)
    for asked in (KILL, SAVE):
        (folder / asked).unlink(missing_ok=True)
    write_secret(folder / SECRETS, json.dumps(dict(variables)))


def take_variables(folder: Path, *, is_kept: bool) -> dict[str, str]:
    """The worker's own variables; the file is removed unless it is needed again. Raises OSError, ValueError."""
    with open(os.open(folder / SECRETS, os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as file:
        found = json.load(file)
    if not is_kept:
        forget_variables(folder)
    return {str(name): str(value) for name, value in found.items()}


def forget_variables(folder: Path) -> None:
    """Remove what no worker will take."""
    with suppress(OSError):
        (folder / SECRETS).unlink()


def write_secret(path: Path, text: str) -> None:
    """Write a file that only this user can read."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
