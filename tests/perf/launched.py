"""The benchmark `pocket` in 1, 2 and 8 shards by each launcher: the same rows, and how much longer than on this machine.

A launcher may take a tenth and five seconds longer than `local` with as many shards, which is measured before and after
the others, while all clusters are up. All have the same cores: one shard works at a time with one thread of torch. The
verdicts of earlier runs are removed before each. What cannot be started here is reported as not measured.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import ray_cluster
import slurm_cluster
from figures import Figure
from loopback import WHY, Sshd
from runs_to_end import ended, rows_of

from engine.control.workspace import Workspace
from engine.spec_files import read_spec

ON_REQUEST = True
SHARDS = (1, 2, 8)
FIGURES = ("bugs", "scored", "plausible_at", "counted_at", "patches", "outcomes", "skipped", "shortened")
BAR_S = 5.0
LOCAL = {"name": "local"}


def measure() -> Iterator[Figure]:
    os.environ["OMP_NUM_THREADS"] = "1"  # as a worker on the machine behind ssh has it
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="perf-")))
        workspace = Workspace(folder / "home")
        stack.callback(workspace.close)
        known = dict(places(stack, folder))
        alone: tuple[object, ...] = ()
        for shards in SHARDS:
            before, *here = taken(workspace, folder, LOCAL, shards)
            alone = alone or (before, *here)
            found: dict[str, float | None] = {}
            for name, launcher in known.items():
                found[name] = None
                if isinstance(launcher, str):
                    print(f"{name}: {launcher}")
                    continue
                found[name], *rows = taken(workspace, folder, launcher, shards)
                assert tuple(rows) == alone[1:], f"{name}: {shards} shards come to other rows"
            after, *rows = taken(workspace, folder, LOCAL, shards)
            assert tuple(rows) == tuple(here) == alone[1:], f"local: {shards} shards come to other rows"
            local = (before + after) / 2
            for name, seconds in found.items():
                more = None if seconds is None else seconds - 1.1 * local
                yield Figure(f"{name}, {shards} shards: longer than local and a tenth of it", more, "s", BAR_S)


def places(stack: ExitStack, folder: Path) -> Iterator[tuple[str, dict[str, object] | str]]:
    """The settings of each launcher, one shard at a time; or why it cannot be started here."""
    if not (why := slurm_cluster.missing()):
        stack.enter_context(slurm_cluster.running())
    yield "slurm", why or {"name": "slurm", "gpus": 0, "cpus": 4}
    if not (why := ray_cluster.missing()):
        cluster = stack.enter_context(ray_cluster.running())
        yield "ray", {"name": "ray", "address": cluster.address, "resources": ["one=1"]}
    else:
        yield "ray", why
    if shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") and shutil.which("rsync"):
        far = Sshd(folder / "sshd")
        stack.callback(far.stop)
        yield "ssh", far.settings(most=1)
    else:
        yield "ssh", WHY


def taken(
    workspace: Workspace, folder: Path, launcher: dict[str, object], shards: int
) -> tuple[float, dict[object, object], dict[str, object]]:
    """Seconds from the submission to the end, the rows, and the figures."""
    for verdicts in folder.rglob("verdicts"):
        shutil.rmtree(verdicts, ignore_errors=True)
    settings = ["model=starter-adapter", f"launcher={json.dumps(launcher)}", f"shards={shards}"]
    began = time.monotonic()
    run = ended(workspace, workspace.runs.submit(read_spec("benchmark", "demo", settings)))
    seconds = time.monotonic() - began
    print(f"{launcher['name']}, {shards} shards: {seconds:.1f} s")
    return seconds, rows_of(run), {name: run.result[name] for name in FIGURES}
