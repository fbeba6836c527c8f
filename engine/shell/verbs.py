"""What all shell commands share: their options, error messages and exit codes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec

import typer

from engine.assets import HOME_VARIABLE
from engine.errors import OutsideFailure, UserError
from engine.rundir import RESUMABLE
from engine.shell import follow
from engine.spec_files import notes_on, read_spec

if TYPE_CHECKING:
    from engine.control.views import RunView
    from engine.control.workspace import Workspace

P = ParamSpec("P")
FAILED, WRONG_INPUT = 1, 2  # exit codes; 0: done


def _home(text: str | Path) -> Path:
    """The home folder; an empty option or variable must not mean the current folder."""
    if not str(text):
        raise typer.BadParameter("it is empty; name a folder")
    return Path(text)


def _named_last(context: typer.Context, home: Path) -> Path:
    """The folder named after the verb; else the one named before it or in the environment."""
    source, before = context.get_parameter_source("home"), context.parent
    if source is not None and source.name != "DEFAULT":
        return home
    while before and "home" not in before.params:
        before = before.parent
    return Path(before.params["home"]) if before else home


WHERE = "where everything is stored"
FirstHome = Annotated[
    Path, typer.Option("--home", envvar=HOME_VARIABLE, parser=_home, metavar="FOLDER", help=WHERE)
]  # of the program itself, before the verb
Home = Annotated[Path, typer.Option("--home", callback=_named_last, parser=_home, metavar="FOLDER", help=WHERE)]
Json = Annotated[bool, typer.Option("--json", help="print machine-readable results")]
Wait = Annotated[bool, typer.Option("--wait", help="wait until the run has ended")]
Set = Annotated[list[str] | None, typer.Option("--set", help="override one field: trainer.learning_rate=1e-4")]
SpecFile = Annotated[
    str,
    typer.Argument(
        metavar="[SPEC]",
        help="a JSON file or a preset, of a dataset also a builder; default: no changes to the settings",
    ),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="where it goes; left out: the home folder")]
RunId = Annotated[int, typer.Argument(help="number of the run")]


def guarded(verb: Callable[P, None]) -> Callable[P, None]:
    """On errors that are not bugs of ours, print one sentence to stderr and exit with the right code."""

    @wraps(verb)
    def inner(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            verb(*args, **kwargs)
        except UserError as error:
            code, message = WRONG_INPUT, str(error)
        except PermissionError as error:
            code, message = WRONG_INPUT, f"{error.filename}: {error.strerror}; allow it, or name another file or folder"
        except (OutsideFailure, OSError) as error:
            code, message = FAILED, str(error)
        else:
            return
        print(f"repair-studio: {follow.printable(message)}", file=sys.stderr)
        raise typer.Exit(code)

    return inner


def check_out(out: Path | None) -> None:
    """Raises UserError where a file cannot go, before any work is done for it."""
    if out is not None and not out.absolute().parent.is_dir():
        raise UserError(f"--out: there is no folder {out.absolute().parent}")


def moved(made: Path, out: Path | None) -> Path:
    """A copy of `made` at `out`, whole or not there, if a place is named; else `made` itself."""
    if out is None:
        return made
    part = out.with_name(f".{out.name}.tmp")
    if made.is_dir():
        if out.exists():
            raise UserError(f"--out: {out} exists; a folder is written anew only where there is none")
        shutil.copytree(made, part)
    else:
        shutil.copyfile(made, part)
    part.replace(out)
    return out


def open_workspace(home: Path) -> Workspace:
    """The workspace of a home folder. Raises UserError if it cannot be used."""
    from engine.control.workspace import Workspace  # the database takes a moment to import; --help does not need it

    return Workspace(home)


def updated_workspace(home: Path) -> Workspace:
    """The workspace after one tick, which stores the new events of its runs if it can."""
    workspace = open_workspace(home)
    follow.update(workspace)
    return workspace


def exit_with_code(run: RunView) -> None:
    """Exit with an error code if the run has failed or was stopped; return if it is done or still running."""
    if run.state in RESUMABLE:
        raise typer.Exit(WRONG_INPUT if run.cause in ("user", "does_not_fit") else FAILED)


def submit(kind: str, spec: str, overrides: list[str] | None, home: Path, *, wait: bool, as_json: bool) -> None:
    """Ask for a run of this kind, perhaps wait for its end, and show it."""
    workspace = open_workspace(home)
    wanted = read_spec(kind, spec, overrides)
    differences = [*workspace.runs.differences(wanted, spec), *notes_on(kind, spec)]
    run_id = workspace.runs.submit(wanted)
    for difference in differences:
        print(f"repair-studio: note: {follow.printable(difference)}", file=sys.stderr)
    if not wait:
        follow.update(workspace)
    run = follow.wait_for_end(workspace, run_id, quiet=as_json) if wait else workspace.runs.get(run_id)
    follow.show_run(workspace, run, as_json=as_json)
    exit_with_code(run)
