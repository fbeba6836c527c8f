"""Samples of the patches that passed: exactly what a model read and wrote in runs of the studio.

Fine-tuning on one's own accepted answers is rejection sampling (Yuan et al. 2023, arXiv 2308.01825).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from engine import params
from engine.builders import Funnel
from engine.builders.answers.run import AnsweredRun, Judged
from engine.builders.answers.source import WHICH, check_tokenizer, named
from engine.domain import Isolation, Rows, Sample
from engine.params import setting

SHARED = "passes, but in one process with its tests"


class Verdicts:
    """Takes the plausible patches of benchmark runs and conversations."""

    name: ClassVar[str] = "verdicts"
    title: ClassVar[str] = "Plausible patches of runs"
    makes: ClassVar[Rows] = "samples"

    class Params(params.Params):
        """The runs, and which of their patches."""

        name: Literal["verdicts"] = "verdicts"
        runs: tuple[str, ...] = setting((), WHICH, names="runs")
        most: int | None = setting(None, "most patches of one bug from one run, best first; empty: all", ge=1, le=1000)
        shared: bool = setting(
            False,
            "also patches that were judged in one process with their tests, where a verdict is easier to forge",
            title="Also judged beside their tests",
            more=True,
        )

    def __init__(self, params: Params) -> None:
        self.params = params

    def check(self) -> None:
        """Raises UserError if a run is missing, or what its model read cannot be known."""
        assert self._runs

    def check_tokenizer(self, folder: Path) -> None:
        """Raises UserError if a run's model had another tokenizer."""
        check_tokenizer(self._runs, folder)

    def choices(self) -> Mapping[str, Sequence[str]]:
        return {}

    def total(self) -> int | None:
        """Not known before the runs are read."""

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Sample]:
        """One run after the other, in the order in which their verdicts came."""
        for run in self._runs:
            for judged, answer in run.answers(self._chosen(run, funnel)):
                if isinstance(answer, str):
                    funnel.lose(answer, where(run, judged))
                else:
                    sample = Sample.of(answer.bug, answer.prompt, answer.text)
                    yield replace(sample, bug_id=where(run, judged), project=answer.bug.project or answer.bug.id,
                                  bug=answer.bug)  # fmt: skip

    def _chosen(self, run: AnsweredRun, funnel: Funnel) -> list[Judged]:
        taken: Counter[str] = Counter()
        chosen = []
        for judged in run.judged():
            funnel.source += 1
            if reason := self._trouble(judged, taken):
                funnel.lose(reason, where(run, judged))
            else:
                taken[judged.bug_id] += 1
                chosen.append(judged)
        return chosen

    def _trouble(self, judged: Judged, taken: Mapping[str, int]) -> str:
        """Why an answer is not taken; empty if it is."""
        if reason := unfit(judged, shared=self.params.shared):
            return reason
        if self.params.most is not None and taken.get(judged.bug_id, 0) >= self.params.most:
            return f"more than {self.params.most} of a bug"
        return ""

    @cached_property
    def _runs(self) -> list[AnsweredRun]:
        return named(self.params.runs)


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
