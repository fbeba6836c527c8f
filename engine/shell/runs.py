"""The verbs on runs: list, show, stop, go on with, take in again, read the log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from engine.assets import HOME, HOME_VARIABLE
from engine.errors import UserError
from engine.rundir import ENDED
from engine.shell import follow
from engine.shell.verbs import Home, Json, RunId, Wait, guarded, leave, opened, up_to_date

runs = typer.Typer(invoke_without_command=True)


@runs.callback()
@guarded
def default(context: typer.Context, home: Home = HOME, json_: Json = False) -> None:
    """Look at runs, stop them, go on with them; without a verb: list them."""
    os.environ[HOME_VARIABLE] = str(home)
    if context.invoked_subcommand is None:
        list_(home, json_)


@runs.command("list")
@guarded
def list_(home: Home = HOME, json_: Json = False) -> None:
    """All runs, newest first."""
    workspace = up_to_date(home)
    follow.show_runs(workspace.runs.list(), as_json=json_)


@runs.command("show")
@guarded
def show(run_id: RunId, home: Home = HOME, json_: Json = False) -> None:
    """One run in full."""
    workspace = up_to_date(home)
    follow.show_run(workspace, workspace.runs.get(run_id), as_json=json_)


@runs.command("stop")
@guarded
def stop(run_id: RunId, home: Home = HOME) -> None:
    """Let a run finish its step and save, for at most 10 minutes, then end it; `runs resume` goes on from there."""
    _stop(run_id, home, now=False)


@runs.command("stop-now")
@guarded
def stop_now(run_id: RunId, home: Home = HOME) -> None:
    """End a run and everything it started at once; what came after its last checkpoint is lost."""
    _stop(run_id, home, now=True)


def _stop(run_id: int, home: Path, *, now: bool) -> None:
    workspace = up_to_date(home)
    if (state := workspace.runs.get(run_id).state) in ENDED:
        raise UserError(f"run {run_id} is {state} already")
    workspace.runs.stop(run_id, now=now)
    run = follow.while_stopping(workspace, run_id)
    follow.show_run(workspace, run, as_json=False)


@runs.command("resume")
@guarded
def resume(run_id: RunId, home: Home = HOME, wait: Wait = False, json_: Json = False) -> None:
    """Go on with a stopped, failed or interrupted run where it was."""
    workspace = up_to_date(home)  # after a restart of the machine nobody may have noted yet that it was interrupted
    workspace.runs.resume(run_id)
    follow.look(workspace)
    run = follow.to_the_end(workspace, run_id, quiet=json_) if wait else workspace.runs.get(run_id)
    follow.show_run(workspace, run, as_json=json_)
    leave(run)


@runs.command("take-in")
@guarded
def take_in(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="folders of runs, as in HOME/runs/")],
    home: Home = HOME,
) -> None:
    """List runs again from their folders: after the database was lost, or from another home."""
    workspace = opened(home)
    follow.show_runs([workspace.runs.get(workspace.take_in(folder)) for folder in folders], as_json=False)


@runs.command("log")
@guarded
def log(run_id: RunId, home: Home = HOME) -> None:
    """The worker's own output."""
    print(opened(home).runs.log(run_id, 1 << 20), end="")
