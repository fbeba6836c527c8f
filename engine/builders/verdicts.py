"""Samples of the patches that passed: exactly what a model read and wrote in runs of the studio.

Fine-tuning on one's own accepted answers is rejection sampling (Yuan et al. 2023, arXiv 2308.01825).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar, Literal

from engine.builders import Funnel
from engine.builders.answers.run import AnsweredRun, Judged
from engine.builders.answers.source import FromRuns, RunsParams, unfit, where
from engine.domain import Rows, Sample
from engine.params import setting


class Verdicts(FromRuns["Verdicts.Params"]):
    """Takes the plausible patches of benchmark runs and conversations."""

    name: ClassVar[str] = "verdicts"
    title: ClassVar[str] = "Plausible patches of runs"
    makes: ClassVar[Rows] = "samples"

    class Params(RunsParams):
        """The runs, and which of their patches."""

        name: Literal["verdicts"] = "verdicts"
        most: int | None = setting(
            None, "of one bug from one run, best first; empty: all", ge=1, le=1000, title="Most patches"
        )

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
        for judged in self._judged(run):
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
