"""The verb that measures what a training takes, to correct the estimate of its memory."""

from __future__ import annotations

from engine.assets import HOME
from engine.shell import follow
from engine.shell.verbs import Home, Json, Set, SpecFile, Wait, exit_with_code, guarded, updated_workspace
from engine.spec_files import read_spec
from engine.specs import MeasureSpec


@guarded
def measure(spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False) -> None:
    """Run a few steps of a training (a preset or file of `train`) with its longest rows, and correct its estimate."""
    workspace = updated_workspace(home)
    run_id = workspace.runs.submit(MeasureSpec.of(read_spec("train", spec, set_)))
    follow.update(workspace)
    run = follow.wait_for_end(workspace, run_id, quiet=json_) if wait else workspace.runs.get(run_id)
    follow.show_run(workspace, run, as_json=json_)
    exit_with_code(run)
