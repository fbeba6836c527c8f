"""Pocket: our own small bugs in Python and Java, in the folder `assets/bugs`, each with its tests."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from engine import params
from engine.assets import BUGS
from engine.benchmarks.folder import Folder


class Pocket(Folder):
    """Small bugs of our own, one fault each, with tests that fail on the fault and pass on the fix."""

    name: ClassVar[str] = "pocket"
    title: ClassVar[str] = "Pocket (shipped)"

    class Params(Folder.Params):
        """Which of the bugs, and how long their tests may take."""

        name: Literal["pocket"] = "pocket"  # type: ignore[assignment]
        folder: params.Place = params.setting("", "Another copy of the shipped bugs.", more=True)

    def __init__(self, params: Params, folder: Path = BUGS) -> None:
        super().__init__(params)
        self._folder = params.folder or str(folder)
