"""The same verbs from a shell: every spec is a preset's name or a JSON file, every result also JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer
from rich.console import Console

from engine import follow
from engine.assets import HOME, HOME_VARIABLE
from engine.errors import OutsideFailure, UserError
from engine.rundir import ENDED
from engine.specs import ChatSpec, preset_names, read_spec

if TYPE_CHECKING:
    from engine.control.workspace import Workspace

P = ParamSpec("P")
DONE, FAILED, WRONG_INPUT = 0, 1, 2

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
dataset = typer.Typer(help="Training sets.", no_args_is_help=True)
runs = typer.Typer(invoke_without_command=True)
app.add_typer(dataset, name="dataset")
app.add_typer(runs, name="runs")


def _home(text: str | Path) -> Path:
    """Not the current folder by an empty variable."""
    if not str(text):
        raise typer.BadParameter("it is empty; name a folder")
    return Path(text)


HOME_OPTION = typer.Option("--home", envvar=HOME_VARIABLE, parser=_home, metavar="FOLDER", help="where all is kept")
Home = Annotated[Path, HOME_OPTION]
Json = Annotated[bool, typer.Option("--json", help="print machine-readable results")]
Wait = Annotated[bool, typer.Option("--wait", help="follow the run to its end")]
Set = Annotated[list[str] | None, typer.Option("--set", help="override one field: trainer.learning_rate=1e-4")]
SpecFile = Annotated[str, typer.Argument(metavar="[SPEC]", help="a JSON file or a preset; left out: the defaults")]
RunId = Annotated[int, typer.Argument(help="number of the run")]


def main() -> None:
    """Entry point; exit codes: 0 done, 1 the run failed, 2 the user's input was wrong."""
    app()


def _guarded(verb: Callable[P, None]) -> Callable[P, None]:
    """One sentence on stderr and the right exit code instead of a traceback, where the user or the world erred."""

    @wraps(verb)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            verb(*args, **kwargs)
        except UserError as error:
            code, said = WRONG_INPUT, str(error)
        except PermissionError as error:
            code, said = WRONG_INPUT, f"{error.filename}: {error.strerror}; allow it, or name another file or folder"
        except (OutsideFailure, OSError) as error:
            code, said = FAILED, str(error)
        else:
            return
        print(f"repair-studio: {follow.printable(said)}", file=sys.stderr)
        raise typer.Exit(code)

    return guarded


@app.callback()
def everything(home: Home = HOME) -> None:
    """Fine-tune code models to repair programs, and judge every patch by running its tests."""
    os.environ[HOME_VARIABLE] = str(home)  # for the verb, which has the same option: --home may stand before or after


def _workspace(home: Path) -> Workspace:
    from engine.control.workspace import Workspace  # the database takes a moment to import; --help does not need it

    return Workspace(home)


def _up_to_date(home: Path) -> Workspace:
    """The workspace with what its runs have said since last time, as far as that can be stored."""
    workspace = _workspace(home)
    follow.look(workspace)
    return workspace


def _submit(kind: str, spec: str, overrides: list[str] | None, home: Path, *, wait: bool, as_json: bool) -> None:
    workspace = _workspace(home)
    wanted = read_spec(kind, spec, overrides)
    run_id = workspace.runs.submit(wanted)
    for difference in workspace.runs.differences(wanted, spec):
        print(f"repair-studio: note: {follow.printable(difference)}", file=sys.stderr)
    follow.look(workspace)
    run = follow.to_the_end(workspace, run_id, quiet=as_json) if wait else workspace.runs.get(run_id)
    follow.show_run(workspace, run, as_json=as_json)
    _leave(run)


def _leave(run: Any) -> None:
    """Leave with the exit code of a run that has ended badly; one that is done, or still goes on, is fine."""
    if run.state in ("failed", "stopped", "interrupted"):
        raise typer.Exit(WRONG_INPUT if run.cause == "user" else FAILED)


@dataset.command("build")
@_guarded
def dataset_build(
    spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False
) -> None:
    """Build a training set from bug fixes or by fault injection."""
    _submit("dataset", spec, set_, home, wait=wait, as_json=json_)


@app.command()
@_guarded
def train(spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False) -> None:
    """Fine-tune a model in a detached process."""
    _submit("train", spec, set_, home, wait=wait, as_json=json_)


@app.command()
@_guarded
def merge(spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False) -> None:
    """Merge an adapter into its base model and check that the result answers the same."""
    _submit("merge", spec, set_, home, wait=wait, as_json=json_)


@app.command()
@_guarded
def benchmark(
    spec: SpecFile = "", set_: Set = None, home: Home = HOME, wait: Wait = False, json_: Json = False
) -> None:
    """Generate patches for a benchmark and judge each one in a sandbox."""
    _submit("benchmark", spec, set_, home, wait=wait, as_json=json_)


@app.command()
@_guarded
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
    workspace = _workspace(home)
    conversation = workspace.chats.start(wanted)
    workspace.chats.send(conversation, message, budget)
    view = follow.conversation(workspace, conversation, quiet=json_)
    workspace.chats.stop(conversation)
    follow.until(workspace, lambda: workspace.chats.view(conversation).state != "stopping")
    if json_:
        print(json.dumps(asdict(view)))
    if view.error:
        raise OutsideFailure(view.error)


@app.command()
@_guarded
def demo(
    home: Home = HOME,
    json_: Json = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="override a stage's preset: train.trainer.max_steps=20")
    ] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="stop what is left of the newest demo")] = False,
) -> None:
    """Build, train, merge and judge with the shipped model, and print the table."""
    workspace = _workspace(home)
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


@runs.callback()
@_guarded
def runs_default(context: typer.Context, home: Home = HOME, json_: Json = False) -> None:
    """Look at runs, stop them, go on with them; without a verb: list them."""
    os.environ[HOME_VARIABLE] = str(home)
    if context.invoked_subcommand is None:
        runs_list(home, json_)


@runs.command("list")
@_guarded
def runs_list(home: Home = HOME, json_: Json = False) -> None:
    """All runs, newest first."""
    workspace = _up_to_date(home)
    follow.show_runs(workspace.runs.list(), as_json=json_)


@runs.command("show")
@_guarded
def runs_show(run_id: RunId, home: Home = HOME, json_: Json = False) -> None:
    """One run in full."""
    workspace = _up_to_date(home)
    follow.show_run(workspace, workspace.runs.get(run_id), as_json=json_)


@runs.command("stop")
@_guarded
def runs_stop(run_id: RunId, home: Home = HOME) -> None:
    """Let a run finish its step and save, for at most 10 minutes, then end it; `runs resume` goes on from there."""
    _stop(run_id, home, now=False)


@runs.command("stop-now")
@_guarded
def runs_stop_now(run_id: RunId, home: Home = HOME) -> None:
    """End a run and everything it started at once; what came after its last checkpoint is lost."""
    _stop(run_id, home, now=True)


def _stop(run_id: int, home: Path, *, now: bool) -> None:
    workspace = _up_to_date(home)
    if (state := workspace.runs.get(run_id).state) in ENDED:
        raise UserError(f"run {run_id} is {state} already")
    workspace.runs.stop(run_id, now=now)
    run = follow.while_stopping(workspace, run_id)
    follow.show_run(workspace, run, as_json=False)


@runs.command("resume")
@_guarded
def runs_resume(run_id: RunId, home: Home = HOME, wait: Wait = False, json_: Json = False) -> None:
    """Go on with a stopped, failed or interrupted run where it was."""
    workspace = _workspace(home)
    workspace.runs.resume(run_id)
    follow.look(workspace)
    run = follow.to_the_end(workspace, run_id, quiet=json_) if wait else workspace.runs.get(run_id)
    follow.show_run(workspace, run, as_json=json_)
    _leave(run)


@runs.command("log")
@_guarded
def runs_log(run_id: RunId, home: Home = HOME) -> None:
    """The worker's own output."""
    print(_workspace(home).runs.log(run_id, 1 << 20), end="")


@app.command()
@_guarded
def export(
    run_id: Annotated[int, typer.Argument(help="number of a benchmark run")],
    form: Annotated[str, typer.Option("--format", help="csv or jsonl")] = "csv",
    home: Home = HOME,
) -> None:
    """Write every patch of a benchmark run with its verdict to a file, and print where."""
    workspace = _up_to_date(home)
    print(workspace.patches.export(run_id, form))


@app.command()
@_guarded
def presets() -> None:
    """The presets of every kind of run."""
    from engine.specs import KINDS

    for kind in KINDS:
        print(f"{kind}: {', '.join(preset_names(kind)) or 'none'}")


@app.command()
@_guarded
def doctor(home: Home = HOME, json_: Json = False) -> None:
    """What this machine can do, and how to get what is missing."""
    follow.show_machine(_workspace(home).machine(), Console(), as_json=json_)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(context: typer.Context, home: Home = HOME) -> None:
    """Open the studio in a browser (--host, --port); the same as `python -m studio`."""
    os.execv(sys.executable, [sys.executable, "-m", "studio", "--home", str(home), *context.args])  # noqa: S606
