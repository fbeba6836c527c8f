"""Go on after a plausible patch, and ask for different ones."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.strategies.test_feedback import LoopParams, TestFeedback


class Alternatives(TestFeedback):
    """As test feedback, but goes on until the budget is spent: the model is told what passes, and to differ from it.

    Tests can pass with a wrong patch, so several plausible ones are worth a look. Two of them differ where their code
    does, not its layout or comments; an answer that was there already is drawn again and counts as none. This is the
    second half of ChatRepair (Xia and Zhang, ISSTA 2024, arXiv 2304.00385).
    """

    name: ClassVar[str] = "alternatives"
    title: ClassVar[str] = "Several different patches that pass"
    ends_at_plausible: ClassVar[bool] = False

    class Params(LoopParams):
        """Settings of the strategy."""

        name: Literal["alternatives"] = "alternatives"
