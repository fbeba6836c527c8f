"""What tests of whole runs share: to wait for their end, and what they have told of patches."""

from __future__ import annotations

import time
from pathlib import Path

from engine.rundir import ACTIVE, RunDir


def until(workspace, holds, seconds=400):
    """Tick until `holds()`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, [(run.name, run.state, run.error) for run in workspace.runs.list()]
        workspace.tick()
        time.sleep(0.1)


def ended(workspace, run_id, state="done"):
    """The run, once it has ended in this state."""
    until(workspace, lambda: workspace.runs.row(run_id).state not in ("queued", *ACTIVE))
    run = workspace.runs.row(run_id)
    assert run.state == state, (run.error, RunDir(Path(run.folder)).log.read_text()[-2000:])
    return run


def rows_of(run):
    """(bug, source, rank) -> what was written, the patch and its outcome; each was said once."""
    said = [each.payload for each in RunDir(Path(run.folder)).all_events() if each.kind == "patch"]
    found = {(e.bug_id, e.source, e.rank): (e.completion, e.text, e.verdict.outcome, e.same_as) for e in said}
    assert len(found) == len(said), "a patch was told twice"
    return found
