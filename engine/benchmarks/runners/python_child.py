"""One job for a warm interpreter (`python_server.py`): the pipes to its child, and what it begins with."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from engine.benchmarks.runners.places import Lent
from engine.benchmarks.runners.report import Suite, until
from engine.sandboxes import Limits
from engine.sandboxes.attend import Job


@contextmanager
def child(
    lent: Lent,
    limits: Limits,
    nonce: str,
    suite: Suite,
    files: Mapping[str, bytes],
    *,
    hear: Callable[[bytes], bool] = lambda line: False,
    is_remote: bool = False,
) -> Iterator[Job]:
    """A child that is told to test `suite`; with `is_remote` without the patched file, which it asks for through us."""
    with ExitStack() as held:
        job_out, job_in = _pipe(held)
        output_out, output_in = _pipe(held)
        log_out, log_in = _pipe(held)
        try:
            socket.send_fds(lent.place.channel, [b"!"], [job_out, output_in, log_in])
        except OSError:
            lent.place.kill()  # it is dead already; so `attend` will find it
        job = Job(
            lent.place,
            limits,
            start=until(nonce, "ready"),
            hear=hear,
            streams=(job_in, output_out, log_out),
            ends_on_channel=True,
        )
        told = {
            "nonce": nonce,
            "target": suite.target,
            "tests": suite.tests,
            "is_remote": is_remote,
            "files": {path: content.decode("latin-1") for path, content in files.items()},
        }
        content = json.dumps(told).encode()
        job.outgoing += b"%016d" % len(content) + content
        yield job


def _pipe(held: ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        held.callback(os.close, end)
    return ends
