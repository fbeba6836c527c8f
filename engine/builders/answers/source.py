"""What all builders of judged answers share: the runs, what is checked about them, and which answers are fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from engine import params
from engine.builders.answers.run import FIELD, AnsweredRun, Judged
from engine.domain import Isolation
from engine.errors import UserError
from engine.models.tokenizer import tokenizer_print
from engine.params import setting

SHARED = "passes, but in one process with its tests (*Also judged beside their tests*, shared=true, takes it)"


class RunsParams(params.Params):
    """The runs, and which of their verdicts count."""

    runs: tuple[str, ...] = setting(
        (), "benchmark runs and loaded models (for their conversations), by number, also as folders", names="runs"
    )
    conversations: tuple[int, ...] = setting(
        (),
        "only these conversations of the loaded models, by number; empty: all, and benchmark runs",
        more=True,
        names="conversations",
    )
    shared: bool = setting(
        False,
        "also patches that passed in one process with their tests, where a verdict is easier to forge",
        title="Also judged beside their tests",
        more=True,
    )


P = TypeVar("P", bound=RunsParams)


class FromRuns(Generic[P]):
    """A builder of what models answered in runs."""

    def __init__(self, params: P) -> None:
        self.params = params

    def check(self) -> None:
        """Raises UserError if a run is missing, or what its model read cannot be known."""
        assert self._runs

    def check_tokenizer(self, folder: Path) -> None:
        """Raises UserError if a run's model had another tokenizer than the one in `folder`.

        Prompts and answers spell the special tokens of the model that read and wrote them.
        """
        wanted = tokenizer_print(folder)
        for run in self._runs:
            own = run.tokenizer_folder()
            if own is not None and tokenizer_print(own) != wanted:
                raise UserError(
                    f"model: run {run.number} was made with another model's tokenizer, whose special tokens stand in "
                    "its prompts; choose the model of that run",
                    field="model",
                )

    def choices(self) -> Mapping[str, Sequence[str]]:
        return {}

    def total(self) -> int | None:
        """Not known before the runs are read."""

    def _judged(self, run: AnsweredRun) -> list[Judged]:
        """The answers with a verdict of one run. Raises UserError."""
        wanted = self.params.conversations
        return [each for each in run.judged() if not wanted or each.conversation in wanted]

    @cached_property
    def _runs(self) -> list[AnsweredRun]:
        """Each once. Raises UserError if none is named, or one cannot be read."""
        if not self.params.runs:
            raise UserError("runs: no run is named; choose one or more", field=FIELD)
        runs = [AnsweredRun(folder) for folder in dict.fromkeys(str(Path(folder)) for folder in self.params.runs)]
        for run in runs:
            run.check()
        return runs


def unfit(judged: Judged, *, shared: bool) -> str:
    """Why an answer is none to learn from; empty if it is one. `shared`: see the setting."""
    if judged.outcome.value != "plausible":
        return f"its verdict is {judged.outcome.value}"
    if judged.is_repeat:
        return "the same patch as an earlier answer"
    return "" if shared or judged.isolation is Isolation.ISOLATED else SHARED


def where(run: AnsweredRun, judged: Judged) -> str:
    """An answer's id in a dataset: "pocket/py-gcd, run 6, rank 1"."""
    return f"{judged.bug_id}, run {run.number}, {judged.place}"
