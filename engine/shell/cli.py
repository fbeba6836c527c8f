"""The shell commands: every spec is a preset's name or a JSON file, every result can be printed as JSON."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.console import Console

from engine.assets import HOME
from engine.errors import OutsideFailure
from engine.machine import examine
from engine.plugins import LAUNCHERS
from engine.shell import follow
from engine.shell.bench import bench
from engine.shell.chats import chats
from engine.shell.comparison import show_comparison
from engine.shell.datasets import dataset, export
from engine.shell.default_verb import DefaultVerb
from engine.shell.memory import measure
from engine.shell.models import models
from engine.shell.plans import plan
from engine.shell.reviews import review, reviews
from engine.shell.rounds import rounds
from engine.shell.runs import runs
from engine.shell.sweeps import sweep
from engine.shell.validation import check, import_, validate
from engine.shell.verbs import (
    FirstHome,
    Home,
    Json,
    Set,
    SpecFile,
    Wait,
    guarded,
    open_workspace,
    submit,
    updated_workspace,
)
from engine.spec_files import preset_names, preset_source, read_spec
from engine.specs import ChatSpec

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
benchmarks = typer.Typer(
    cls=DefaultVerb, help="Have a model repair a benchmark's bugs; `benchmark check NAME` tests the benchmark itself."
)
app.add_typer(dataset, name="dataset")
app.add_typer(benchmarks, name="benchmark")
app.add_typer(runs, name="runs")
app.add_typer(chats, name="chats")
app.add_typer(bench, name="bench")
app.command()(validate)
app.command()(sweep)
app.command()(export)
app.command()(measure)
app.command()(models)
app.command()(plan)
app.command()(review)
app.command()(reviews)
app.command()(rounds)
benchmarks.command()(check)
runs.command("import")(import_)


def main() -> None:
    """Entry point; exit codes: 0 done, 1 the run failed, 2 the user's input was wrong."""
    app()


@app.callback()
def everything(home: FirstHome = HOME) -> None:
    """Fine-tune code models to repair programs, and evaluate every patch by running its tests."""


@app.command()
@guarded
def train(spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False) -> None:
    """Fine-tune a model in a detached process."""
    submit("train", spec, set_, home, wait=wait, as_json=json_)


@app.command()
@guarded
def merge(spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False) -> None:
    """Merge an adapter into its base model and check that the result answers the same."""
    submit("merge", spec, set_, home, wait=wait, as_json=json_)


@benchmarks.command("run")
@guarded
def benchmark(
    spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False
) -> None:
    """Generate patches for a benchmark and test each one in a sandbox; `benchmark check NAME` tests its own bugs."""
    submit("benchmark", spec, set_, home, wait=wait, as_json=json_)


@app.command()
@guarded
def chat(
    spec: SpecFile = "",
    set_: Set = None,
    home: Home = HOME,
    message: Annotated[str, typer.Option(help="your first message")] = "",
    budget: Annotated[int, typer.Option(help="most repair turns", min=1, max=50)] = 5,
    json_: Json = False,
) -> None:
    """Hold a repair conversation about one bug (--set bug=pocket/py-...), in which the model sees failing tests."""
    wanted: ChatSpec = read_spec("chat", spec, set_)
    workspace = open_workspace(home)
    conversation = workspace.chats.start(wanted)
    workspace.chats.send(conversation, message, budget)
    view = follow.conversation(workspace, conversation, quiet=json_)
    worker = workspace.chats.get(conversation).run_id
    if not workspace.chats.leave(conversation):
        stays = f"the model stays loaded for another conversation; `repair-studio runs stop {worker}` unloads it"
        print(f"repair-studio: note: {stays}", file=sys.stderr)
    follow.wait_until(workspace, lambda: workspace.chats.view(conversation).state != "stopping")
    if json_:
        print(json.dumps(asdict(view)))
    if trouble := follow.trouble(view):
        raise OutsideFailure(trouble)


@app.command()
@guarded
def demo(
    home: Home = HOME,
    json_: Json = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="override a stage's preset: train.trainer.max_steps=20")
    ] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="stop all runs of the newest demo")] = False,
) -> None:
    """Build a dataset, train, merge and benchmark with the shipped model, and print the results."""
    workspace = open_workspace(home)
    if cancel:
        workspace.tick()
        stopped = workspace.demo.cancel()
        follow.wait_until(workspace, lambda: not workspace.demo.is_running())
        runs_ = "run" if stopped == 1 else "runs"
        print(json.dumps({"stopped": stopped}) if json_ else f"{stopped} {runs_} of the demo stopped")
        return
    group = workspace.demo.start(set_ or ())
    for run in workspace.demo.runs(group):
        ended = follow.wait_for_end(workspace, run.id, quiet=json_)
        if ended.state != "done":
            raise OutsideFailure(f"run {ended.id} ({ended.name}) is {ended.state}: {ended.error}")
    follow.show_demo(workspace, group, as_json=json_)


@app.command()
@guarded
def compare(
    run_ids: Annotated[list[int], typer.Argument(metavar="RUN_A RUN_B", help="numbers of 2 to 8 benchmark runs")],
    at: Annotated[
        int | None, typer.Option(help="the first so many candidates of each bug; left out: as many as all have")
    ] = None,
    home: Home = HOME,
    latex_: Annotated[bool, typer.Option("--latex", help="print a table for a paper (booktabs)")] = False,
    json_: Json = False,
) -> None:
    """Compare benchmark runs bug by bug, on the bugs that all of them score."""
    compared = updated_workspace(home).compare.runs(run_ids, at)
    if latex_:
        print(compared.as_latex(), end="")
        return
    show_comparison(compared, Console(), as_json=json_)


@app.command()
@guarded
def presets() -> None:
    """List the presets of every kind of run, and where their values come from."""
    from engine.specs import KINDS

    for kind in KINDS:
        print(f"{kind}: {', '.join(preset_names(kind)) or 'none'}")
        for name in preset_names(kind):
            if source := preset_source(kind, name):
                print(f"    {name}: {source}")


@app.command()
@guarded
def doctor(home: Home = HOME, set_: Set = None, json_: Json = False) -> None:
    """Show what this machine can do, and how to get what is missing; --set launcher=... asks that one too.

    Ends with 1 if that launcher cannot start runs now.
    """
    here = open_workspace(home).machine()
    elsewhere = examine(LAUNCHERS.create(read_spec("benchmark", "", set_ or []).launcher))
    follow.show_machine(replace(here, checks=(*here.checks, *elsewhere)), Console(), as_json=json_)
    if not all(check.has for check in elsewhere):
        raise typer.Exit(1)


@app.command()
@guarded
def supervise(
    home: Home = HOME,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="end when no run is queued or active")] = False,
) -> None:
    """Keep the queue moving without a page: start queued runs, print what each comes to; Ctrl-C ends this alone."""
    follow.supervise(open_workspace(home), until_idle=until_idle)


@app.command()
def serve(
    home: Home = HOME,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on")] = 7860,
) -> None:
    """Open the studio in a browser; the same as `python -m studio`."""
    options = ["--home", str(home), "--host", host, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "studio", *options])  # noqa: S606
