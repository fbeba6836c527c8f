"""Plans against the runs that they are of, with the shipped models: a benchmark run, a training, a dataset build.

Each rate comes from a short run before; the verdicts that this has left behind are removed, since a plan counts all tests.
Both runs of a pair need the same share of the machine, so the bars are for an otherwise idle one.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from figures import Figure

from engine.control.workspace import Workspace
from engine.plan import Cluster
from engine.spec_files import read_spec
from engine.specs import Spec

TICK_S = 0.2
MOST_S = 1800.0
BENCHMARK = "model=starter-adapter"
# what it is, (kind, settings) of the short run, the same of the run that is planned
PAIRS = (
    ("a dataset build", ("dataset", ["name=short", "builder.samples=500"]), ("dataset", ["builder.samples=2000"])),
    ("a benchmark run", ("benchmark", [BENCHMARK, "limit=12"]), ("benchmark", [BENCHMARK])),
    (
        "a training",
        ("train", ["name=few", "dataset=short", "trainer.max_steps=10"]),
        ("train", ["name=all", "dataset=short"]),
    ),
)


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="perf-") as folder:
        workspace = Workspace(Path(folder))
        try:
            for what, short, whole in PAIRS:
                took(workspace, spec_of(*short))
                wanted = spec_of(*whole)
                planned = workspace.plan(wanted, Cluster()).seconds
                shutil.rmtree(workspace.home / "verdicts", ignore_errors=True)
                real = took(workspace, wanted)
                assert planned is not None
                print(f"{what}: planned {planned:.1f} s, took {real:.1f} s")
                yield Figure(f"the plan of {what} differs from the run", 100 * abs(planned / real - 1), "%", 20)
        finally:
            workspace.close()


def spec_of(kind: str, settings: list[str]) -> Spec:
    found: Spec = read_spec(kind, "demo", settings)
    return found


def took(workspace: Workspace, spec: Spec) -> float:
    """Seconds that a run worked."""
    number, until = workspace.runs.submit(spec), time.monotonic() + MOST_S
    while not (run := workspace.runs.get(number)).has_ended:
        assert time.monotonic() < until, run.progress
        workspace.tick()
        time.sleep(TICK_S)
    assert run.state == "done", run.error
    assert run.seconds is not None
    return run.seconds
