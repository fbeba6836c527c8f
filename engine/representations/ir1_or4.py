"""IR1 x OR4 (RepairLLaMA, arXiv 2312.15698): the faulty function, and a diff with one line around each change."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.representations.ir1_or3 import Ir1Or3
from engine.representations.published import WithoutHole


class Ir1Or4(Ir1Or3):
    """The same as OR3 with less context: shorter answers, and more of them fit several places."""

    name: ClassVar[str] = "ir1_or4"
    title: ClassVar[str] = "IR1 x OR4: the function, and a diff with 1 line around"
    context: ClassVar[int] = 1

    class Params(WithoutHole):
        """What is shown."""

        name: Literal["ir1_or4"] = "ir1_or4"
