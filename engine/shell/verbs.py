"""What all verbs of the shell share: their options, one sentence instead of a traceback, the exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from engine.assets import HOME_VARIABLE
from engine.errors import OutsideFailure, UserError
from engine.rundir import CAN_GO_ON
from engine.shell import follow

if TYPE_CHECKING:
    from engine.control.workspace import Workspace

P = ParamSpec("P")
FAILED, WRONG_INPUT = 1, 2  # exit codes; 0: done


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


def guarded(verb: Callable[P, None]) -> Callable[P, None]:
    """One sentence on stderr and the right exit code instead of a traceback, where the fault is not ours."""

    @wraps(verb)
    def inner(*args: P.args, **kwargs: P.kwargs) -> None:
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

    return inner


def opened(home: Path) -> Workspace:
    """The home folder, opened. Raises UserError where it cannot be used."""
    from engine.control.workspace import Workspace  # the database takes a moment to import; --help does not need it

    return Workspace(home)


def up_to_date(home: Path) -> Workspace:
    """The workspace with what its runs have said since last time, as far as that can be stored."""
    workspace = opened(home)
    follow.look(workspace)
    return workspace


def leave(run: Any) -> None:
    """Leave with the exit code of a run that has ended badly; one that is done, or still goes on, is fine."""
    if run.state in CAN_GO_ON:
        raise typer.Exit(WRONG_INPUT if run.cause == "user" else FAILED)
