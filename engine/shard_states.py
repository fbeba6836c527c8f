"""What each worker of a shared run does, as the leading one writes it down for the run's page and the shell.

`shards/states.json` in the run's folder is replaced as a whole, at most once a second, and stays after the run's end.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from engine.reading import open_regular
from engine.whole_files import write_whole

FILE = "shards/states.json"
MOST_BYTES = 8 << 20  # some 10,000 shards
States = Literal["queued", "starting", "running", "stopping", "stopped", "done", "failed", "interrupted"]
ORDER: tuple[States, ...] = (
    "failed", "interrupted", "stopping", "running", "starting", "stopped", "queued", "done",
)  # fmt: skip


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True)
class ShardState:
    """`share` of its part that is done, 0 to 1; `where` its worker is or was; `why` it waits or has failed."""

    number: int
    state: States
    share: float = Field(ge=0, le=1)
    where: str = ""
    why: str = ""
    starts: int = 0


_STATES: TypeAdapter[list[ShardState]] = TypeAdapter(list[ShardState])


def write(run: Path, states: Sequence[ShardState]) -> None:
    """Nothing is written on a full disk: the run goes on without."""
    with suppress(OSError):
        write_whole(run / FILE, {"shards": [asdict(each) for each in states]})


def read(folder: str) -> list[ShardState]:
    """Those of the run with this folder, by number; empty for a run that one worker does.

    Also for a run without a folder yet, and for a file that is not as it was written.
    """
    if not folder:
        return []
    try:
        with open(open_regular(Path(folder) / FILE), "rb") as file:
            text = file.read(MOST_BYTES + 1)
        return _STATES.validate_python(json.loads(text)["shards"]) if len(text) <= MOST_BYTES else []
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ValidationError):
        return []


def in_sight(states: Sequence[ShardState], most: int) -> list[ShardState]:
    """By number, no more than `most`: those that have failed, are at work, or wait for a reason, in this order."""
    said = [each for each in states if each.state not in ("queued", "stopped", "done") or each.why]
    first = sorted(said, key=lambda each: (ORDER.index(each.state), each.number))[:most]
    return sorted(first, key=lambda each: each.number)


def summary(states: Sequence[ShardState]) -> str:
    """ "16 shards: 5 done, 2 running, 9 queued"; empty without any."""
    if not states:
        return ""
    counts = Counter(each.state for each in states)
    said = ", ".join(f"{counts[name]} {name}" for name in ORDER[::-1] if counts[name])
    return f"{len(states)} shards: {said}"
