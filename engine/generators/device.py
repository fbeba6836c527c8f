"""One of several processes that generate for a run: a generator that is asked, and answers, in lines of JSON.

`python -m engine.generators.device PARENT GENERATOR`: the process that asks, and the generator's settings as JSON. A
line on standard input is [method, arguments...]; `generate` answers with a line for each prompt. The last line of every
answer has "value", or "error" and its kind. It ends with the process that asks, however that one ended.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from engine.domain import Model
from engine.errors import OutsideFailure, UserError
from engine.generators import Generator, NoAnswer
from engine.plugins import GENERATORS

PR_SET_PDEATHSIG = 1
KINDS: dict[str, type[Exception]] = {"user": UserError, "outside": OutsideFailure, "memory": MemoryError}


def main(parent: int, settings: str) -> None:
    """Serve until the other end of standard input is closed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before it could have been noticed
        return
    channel = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what libraries print goes to the run's log
    logging.basicConfig(level=logging.ERROR)  # the other processes would say the same
    generator = GENERATORS.from_value(json.loads(settings))
    for line in sys.stdin:
        for told in answers(generator, *json.loads(line)):
            channel.write(json.dumps(told) + "\n")
            channel.flush()


def answers(generator: Generator, method: str, *given: Any) -> Iterator[dict[str, Any]]:
    """What a method of the generator comes to, or how it failed."""
    try:
        if method == "generate":
            for index, found in generator.generate(*given):
                if isinstance(found, NoAnswer):
                    yield {"index": index, "reason": found.reason}
                else:
                    yield {"index": index, "completions": [asdict(each) for each in found]}
            yield {"value": None}
        elif method == "load":
            model, seed = given
            generator.load(Model(**model), seed)
            yield {"value": None}
        else:
            value = getattr(generator, method)(*given)
            yield {"value": sorted(value) if isinstance(value, frozenset) else value}
    except Exception as error:
        kind = kind_of(error)
        if not kind:
            traceback.print_exc()
        said = str(error) if kind else traceback.format_exception_only(error)[-1].strip()
        yield {"error": said, "kind": kind, "field": getattr(error, "field", "")}


def kind_of(error: Exception) -> str:
    """One of `KINDS`; empty for a bug of ours. A GPU's error about its memory is a RuntimeError of its own type."""
    is_memory = type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
    return "memory" if is_memory else next((kind for kind, known in KINDS.items() if isinstance(error, known)), "")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
