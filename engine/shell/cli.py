"""The same verbs from a shell: every spec is a preset's name or a JSON file, every result also JSON."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from engine.assets import HOME, HOME_VARIABLE
from engine.errors import OutsideFailure
from engine.shell import follow
from engine.shell.default_verb import DefaultVerb
from engine.shell.runs import runs
from engine.shell.validation import check, import_, validate
from engine.shell.verbs import Home, Json, Set, SpecFile, Wait, guarded, leave, opened, up_to_date
from engine.spec_files import preset_names, read_spec
from engine.specs import ChatSpec

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
dataset = typer.Typer(help="Training sets.", no_args_is_help=True)
benchmarks = typer.Typer(
    cls=DefaultVerb, help="Have a model repair a benchmark's bugs; `benchmark check NAME` tests the benchmark itself."
)
app.add_typer(dataset, name="dataset")
app.add_typer(benchmarks, name="benchmark")
app.add_typer(runs, name="runs")
app.command()(validate)
benchmarks.command()(check)
runs.command("import")(import_)


def main() -> None:
    """Entry point; exit codes: 0 done, 1 the run failed, 2 the user's input was wrong."""
    app()


@app.callback()
def everything(home: Home = HOME) -> None:
    """Fine-tune code models to repair programs, and judge every patch by running its tests."""
    os.environ[HOME_VARIABLE] = str(home)  # for the verb, which has the same option: --home may stand before or after


def _submit(kind: str, spec: str, overrides: list[str] | None, home: Path, *, wait: bool, as_json: bool) -> None:
    workspace = opened(home)
    wanted = read_spec(kind, spec, overrides)
    differences = workspace.runs.differences(wanted, spec)
    run_id = workspace.runs.submit(wanted)
    for difference in differences:
        print(f"repair-studio: note: {follow.printable(difference)}", file=sys.stderr)
    follow.look(workspace)
    run = follow.to_the_end(workspace, run_id, quiet=as_json) if wait else workspace.runs.get(run_id)
    follow.show_run(workspace, run, as_json=as_json)
    leave(run)


@dataset.command("build")
@guarded
def dataset_build(
    spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False
) -> None:
    """Build a training set from bug fixes or by fault injection."""
    _submit("dataset", spec, set_, home, wait=wait, as_json=json_)


@app.command()
@guarded
def train(spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False) -> None:
    """Fine-tune a model in a detached process."""
    _submit("train", spec, set_, home, wait=wait, as_json=json_)


@app.command()
@guarded
def merge(spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False) -> None:
    """Merge an adapter into its base model and check that the result answers the same."""
    _submit("merge", spec, set_, home, wait=wait, as_json=json_)


@benchmarks.command("run")
@guarded
def benchmark(
    spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False
) -> None:
    """Generate patches for a benchmark and judge each one in a sandbox; `benchmark check NAME` tests its own bugs."""
    _submit("benchmark", spec, set_, home, wait=wait, as_json=json_)


@app.command()
@guarded
def chat(
    spec: SpecFile = "",
    set_: Set = None,
    home: Home = HOME,
    message: Annotated[str, typer.Option(help="say this first")] = "",
    budget: Annotated[int, typer.Option(help="repair turns at most", min=1, max=50)] = 5,
    json_: Json = False,
) -> None:
    """Hold a repair conversation about one bug (--set bug=pocket/py-...), seeing the tests' output."""
    wanted: ChatSpec = read_spec("chat", spec, set_)
    workspace = opened(home)
    conversation = workspace.chats.start(wanted)
    workspace.chats.send(conversation, message, budget)
    view = follow.conversation(workspace, conversation, quiet=json_)
    worker = workspace.chats.get(conversation).run_id
    if not workspace.chats.leave(conversation):
        stays = f"the model stays loaded for another conversation; `repair-studio runs stop {worker}` unloads it"
        print(f"repair-studio: note: {stays}", file=sys.stderr)
    follow.until(workspace, lambda: workspace.chats.view(conversation).state != "stopping")
    if json_:
        print(json.dumps(asdict(view)))
    if view.error:
        raise OutsideFailure(view.error)


@app.command()
@guarded
def demo(
    home: Home = HOME,
    json_: Json = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="override a stage's preset: train.trainer.max_steps=20")
    ] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="stop what is left of the newest demo")] = False,
) -> None:
    """Build, train, merge and judge with the shipped model, and print the table."""
    workspace = opened(home)
    if cancel:
        workspace.tick()
        stopped = workspace.demo.cancel()
        follow.until(workspace, lambda: not workspace.demo.is_under_way())
        runs_ = "run" if stopped == 1 else "runs"
        print(json.dumps({"stopped": stopped}) if json_ else f"{stopped} {runs_} of the demo stopped")
        return
    group = workspace.demo.start(set_ or ())
    for run in workspace.demo.runs(group):
        ended = follow.to_the_end(workspace, run.id or 0, quiet=json_)
        if ended.state != "done":
            raise OutsideFailure(f"run {ended.id} ({ended.name}) is {ended.state}: {ended.error}")
    follow.show_demo(workspace, group, as_json=json_)


@app.command()
@guarded
def export(
    run_id: Annotated[int, typer.Argument(help="number of a benchmark run")],
    form: Annotated[str, typer.Option("--format", help="csv or jsonl")] = "csv",
    home: Home = HOME,
) -> None:
    """Write every patch of a benchmark run with its verdict to a file, and print where."""
    workspace = up_to_date(home)
    print(workspace.patches.export(run_id, form))


@app.command()
@guarded
def presets() -> None:
    """The presets of every kind of run."""
    from engine.specs import KINDS

    for kind in KINDS:
        print(f"{kind}: {', '.join(preset_names(kind)) or 'none'}")


@app.command()
@guarded
def doctor(home: Home = HOME, json_: Json = False) -> None:
    """What this machine can do, and how to get what is missing."""
    follow.show_machine(opened(home).machine(), Console(), as_json=json_)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(context: typer.Context, home: Home = HOME) -> None:
    """Open the studio in a browser (--host, --port); the same as `python -m studio`."""
    os.execv(sys.executable, [sys.executable, "-m", "studio", "--home", str(home), *context.args])  # noqa: S606
