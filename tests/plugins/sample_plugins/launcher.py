"""A launcher: this machine, with room for more than one run."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine import params
from engine.launchers.local import Local
from engine.params import setting


class Sample(Local):
    """Workers on this machine, several at a time."""

    name: ClassVar[str] = "sample"

    class Params(params.Params):
        """How many."""

        name: Literal["sample"] = "sample"
        room: int = setting(2, "runs at a time", ge=1, le=8)

    def __init__(self, params=None):
        self.params = params or self.Params()

    def room(self):
        return {"runs": self.params.room}

    def needs(self):
        return {"runs": 1}
