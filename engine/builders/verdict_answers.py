"""Single answers of models in runs of the studio, each right or wrong by its verdict; no answer needs a counterpart.

For KTO (Ethayarajh et al. 2024, arXiv 2402.01306).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal

from engine.builders import Funnel
from engine.builders.answers.run import AnsweredRun, Judged
from engine.builders.answers.source import FromRuns, RunsParams, unfit, where
from engine.builders.verdict_pairs import WORSE
from engine.domain import Rows, Sample
from engine.params import setting


class VerdictAnswers(FromRuns["VerdictAnswers.Params"]):
    """Takes plausible patches as right answers, and failed ones as wrong answers."""

    name: ClassVar[str] = "verdict_answers"
    title: ClassVar[str] = "Patches of runs one by one, right or wrong"
    makes: ClassVar[Rows] = "answers"

    class Params(RunsParams):
        """The runs, and which of their patches."""

        name: Literal["verdict_answers"] = "verdict_answers"
        wrong: Literal["failed tests", "any"] = setting(
            "failed tests", "which patches are wrong answers: those that fail tests, or also those that do not compile "
            "or do not end", title="Wrong answers",
        )  # fmt: skip
        most: int = setting(4, "right ones, and as many wrong ones, to one prompt", ge=1, le=1000, title="Most answers")

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Sample]:
        """One run after the other, in the order in which their verdicts came."""
        for run in self._runs:
            chosen = self._chosen(run, funnel)
            for judged, answer in run.answers([*chosen]):
                if isinstance(answer, str):
                    funnel.lose(answer, where(run, judged))
                else:
                    sample = Sample.of(answer.bug, answer.prompt, answer.text)
                    yield replace(sample, bug_id=where(run, judged), project=answer.bug.project or answer.bug.id,
                                  bug=answer.bug, is_wrong=chosen[judged])  # fmt: skip

    def _chosen(self, run: AnsweredRun, funnel: Funnel) -> dict[Judged, bool]:
        """Each answer that is taken, and whether it is a wrong one."""
        taken: Counter[tuple[bytes, bool]] = Counter()
        chosen: dict[Judged, bool] = {}
        for judged in run.judged():
            funnel.source += 1
            is_wrong = judged.outcome in WORSE[self.params.wrong]
            repeat = "the same patch as an earlier answer" if judged.is_repeat else ""
            reason = repeat if is_wrong else unfit(judged, shared=self.params.shared)
            if not reason and taken[judged.question, is_wrong] == self.params.most:
                reason = f"more than {self.params.most} {'wrong' if is_wrong else 'right'} answers to a prompt"
            if reason:
                funnel.lose(reason, where(run, judged))
            else:
                taken[judged.question, is_wrong] += 1
                chosen[judged] = is_wrong
        return chosen
