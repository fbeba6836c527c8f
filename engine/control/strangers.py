"""Runs that were taken in from outside the home: their launchers' settings are commands and hosts of somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import UserError
from engine.params import shown
from engine.plugins import LAUNCHERS

if TYPE_CHECKING:
    from storage.tables import Run

HARMLESS = ("local", "torchrun")  # launchers whose settings name devices of this machine, and nothing that is run


def is_from_elsewhere(home: Path, folder: Path) -> bool:
    """Whether the folder of a run is not one of the home's own."""
    return folder.resolve().parent != (home / "runs").resolve()


def check_launcher(home: Path, run: Run) -> None:
    """Raises UserError if a worker of this run would be started as somebody else's settings say."""
    settings = run.spec.get("launcher")
    name = settings.get("name") if isinstance(settings, dict) else settings
    if name in (None, *HARMLESS) or not is_from_elsewhere(home, Path(run.folder)):
        return
    stated = LAUNCHERS.params(settings).model_dump(mode="json", exclude_defaults=True)
    raise UserError(
        f"launcher: run {run.id} was taken in from {run.folder}, and its own launcher would run what is written there: "
        f"{name} {shown(stated)}; start it again with yours: repair-studio runs repeat {run.id} --set launcher=local, "
        "or --set launcher=... with settings of your own",
        field="launcher",
    )
