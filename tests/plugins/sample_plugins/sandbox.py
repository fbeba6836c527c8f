"""A sandbox: bubblewrap under another name."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine import params
from engine.sandboxes.bubblewrap import Bubblewrap


class Sample(Bubblewrap):
    """Bubblewrap by another name."""

    name: ClassVar[str] = "sample"

    class Params(params.Params):
        """Nothing to set."""

        name: Literal["sample"] = "sample"

    def describe(self):
        return "sample 1"
