"""The verbs on runs: list, show, stop, resume, rename, delete, list again from a folder, print the log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.assets import HOME
from engine.control.strangers import check_launcher
from engine.errors import UserError
from engine.rundir import ENDED
from engine.shell import follow
from engine.shell.verbs import (
    Home,
    Json,
    Out,
    RunId,
    Set,
    Wait,
    check_out,
    exit_with_code,
    guarded,
    moved,
    open_workspace,
    submit,
    updated_workspace,
)

runs = typer.Typer(invoke_without_command=True)


@runs.callback()
@guarded
def default(context: typer.Context, home: Home = HOME, json_: Json = False) -> None:
    """Show, stop and resume runs; without a verb: list them."""
    if context.invoked_subcommand is None:
        list_(home, json_)


@runs.command("list")
@guarded
def list_(home: Home = HOME, json_: Json = False) -> None:
    """List all runs, newest first."""
    workspace = updated_workspace(home)
    follow.show_runs(workspace.runs.list(), as_json=json_)


@runs.command("show")
@guarded
def show(run_id: RunId, home: Home = HOME, json_: Json = False) -> None:
    """Show one run in full."""
    workspace = updated_workspace(home)
    follow.show_run(workspace, workspace.runs.get(run_id), as_json=json_)


@runs.command("stop")
@guarded
def stop(run_id: RunId, home: Home = HOME) -> None:
    """Let a run finish its step and save, for at most 10 minutes, then end it; `runs resume` continues from there."""
    _stop(run_id, home, now=False)


@runs.command("stop-now")
@guarded
def stop_now(run_id: RunId, home: Home = HOME) -> None:
    """End a run and everything it started at once; what came after its last checkpoint is lost."""
    _stop(run_id, home, now=True)


def _stop(run_id: int, home: Path, *, now: bool) -> None:
    workspace = updated_workspace(home)
    if (state := workspace.runs.get(run_id).state) in ENDED:
        raise UserError(f"run {run_id} is already {state}")
    workspace.runs.stop(run_id, now=now)
    run = follow.wait_while_stopping(workspace, run_id)
    follow.show_run(workspace, run, as_json=False)


@runs.command("resume")
@guarded
def resume(run_id: RunId, home: Home = HOME, wait: Wait = False, json_: Json = False) -> None:
    """Continue a stopped, failed or interrupted run from where it stopped."""
    workspace = updated_workspace(home)  # after a restart of the machine its state may not be "interrupted" yet
    workspace.runs.resume(run_id)
    if not wait:
        follow.update(workspace)
    run = follow.wait_for_end(workspace, run_id, quiet=json_) if wait else workspace.runs.get(run_id)
    follow.show_run(workspace, run, as_json=json_)
    exit_with_code(run)


@runs.command("repeat")
@guarded
def repeat(run_id: RunId, set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False) -> None:
    """Start a run again with its settings, some of them changed by --set; what it made stays."""
    workspace = open_workspace(home)
    run = workspace.runs.row(run_id)
    if not any(each.startswith("launcher=") for each in set_ or ()):
        check_launcher(workspace.home, run)
    submit(run.kind, str(Path(run.folder) / "spec.json"), set_, home, wait=wait, as_json=json_)


@runs.command("rename")
@guarded
def rename(run_id: RunId, name: str, home: Home = HOME) -> None:
    """Give a run another name; its dataset or model is then called so, and runs that have used it name it so."""
    workspace = updated_workspace(home)
    workspace.edits.rename(run_id, name)
    follow.show_runs([workspace.runs.get(run_id)], as_json=False)


@runs.command("note")
@guarded
def note(run_id: RunId, text: str, home: Home = HOME) -> None:
    """Write a note on a run, in place of the one before."""
    workspace = open_workspace(home)
    workspace.edits.annotate(run_id, text)
    follow.show_run(workspace, workspace.runs.get(run_id), as_json=False)


@runs.command("delete")
@guarded
def delete(
    run_ids: Annotated[list[int], typer.Argument(metavar="RUN...", help="numbers of runs")],
    yes: Annotated[bool, typer.Option("--yes", help="delete them although others have used their results")] = False,
    home: Home = HOME,
) -> None:
    """Delete runs with all they made; runs that used their results keep theirs and can no longer be repeated."""
    workspace = updated_workspace(home)
    for run_id in run_ids:
        users = [each for each in workspace.edits.users(run_id) if each.id not in run_ids]
        if users and not yes:
            named = ", ".join(f"run {each.id} ({follow.printable(each.name)})" for each in users[:10])
            raise UserError(f"what run {run_id} made is used by {named}; --yes deletes it nevertheless")
    for run_id in sorted(run_ids, reverse=True):
        workspace.edits.delete(run_id)
        print(f"run {run_id} is deleted")


@runs.command("move")
@guarded
def move(run_id: RunId, to: Annotated[str, typer.Argument(help="first, up, down or last")], home: Home = HOME) -> None:
    """Change the place of a waiting run in the queue."""
    workspace = updated_workspace(home)
    workspace.runs.move(run_id, to)
    follow.show_runs(workspace.runs.queued(), as_json=False)


@runs.command("take-in")
@guarded
def take_in(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="folders of runs, as in HOME/runs/")],
    home: Home = HOME,
) -> None:
    """List runs again from their folders: after the database was lost, or from another home."""
    workspace = open_workspace(home)
    follow.show_runs([workspace.runs.get(workspace.take_in(folder)) for folder in folders], as_json=False)


@runs.command("bundle")
@guarded
def bundle(run_id: RunId, out: Out = None, home: Home = HOME) -> None:
    """Write a .zip with all that repeats a benchmark run, or lists it in another home; its README says how."""
    check_out(out)
    print(moved(updated_workspace(home).patches.export(run_id, "bundle"), out))


@runs.command("log")
@guarded
def log(run_id: RunId, home: Home = HOME) -> None:
    """Print the output of a run's worker."""
    print(follow.printable_lines(open_workspace(home).runs.log(run_id, 1 << 20)), end="")
