"""The verb for rejection sampling in rounds."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine.assets import HOME
from engine.errors import OutsideFailure
from engine.shell import follow
from engine.shell.verbs import Home, Json, Wait, guarded, updated_workspace


@guarded
def rounds(
    model: Annotated[str, typer.Option(help="whose patches are sampled at first, and which is trained")] = "starter",
    count: Annotated[int, typer.Option("--rounds", help="how many", min=1, max=100)] = 2,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="a setting of all runs of a kind: benchmark.candidates=20, train.trainer.rank=8"),
    ] = None,
    resume: Annotated[str, typer.Option(metavar="GROUP", help="continue rounds-1 where it stopped")] = "",
    home: Home = HOME,
    wait: Wait = False,
    json_: Json = False,
) -> None:
    """Train a model on its own patches that pass: sample on training bugs, keep the plausible ones, train, repeat."""
    workspace = updated_workspace(home)
    if resume:
        workspace.rounds.resume(resume)
    group = resume or workspace.rounds.start(model, count, set_ or ())
    follow.update(workspace)
    failed = None
    for run in workspace.rounds.runs(group) if wait else ():
        ended = follow.wait_for_end(workspace, run.id, quiet=json_)
        failed = failed or (ended if ended.state != "done" else None)
        if failed:
            break
    runs = workspace.rounds.runs(group)
    if json_:
        told = [
            {"id": run.id, "kind": run.kind, "name": run.name, "state": run.state, "result": run.outcome}
            for run in runs
        ]
        print(json.dumps({"group": group, "runs": told}))
    else:
        table = Table("run", "kind", "name", "state", "result", title=group)
        for run in runs:
            table.add_row(str(run.id), run.kind, follow.printable(run.name), run.state, follow.printable(run.outcome))
        Console().print(table, markup=False)
    if failed:
        raise OutsideFailure(
            f"run {failed.id} ({failed.name}) is {failed.state}: {failed.error}; `rounds --resume {group}` continues"
        )
