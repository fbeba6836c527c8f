"""Preferences of what models wrote in runs of the studio: an answer that passed against one to the same prompt that
did not.

For direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from engine.builders import Funnel
from engine.builders.answers.run import Answer, AnsweredRun, Judged
from engine.builders.answers.source import FromRuns, RunsParams, unfit, where
from engine.domain import Outcome, Preference, Rows
from engine.params import setting

WORSE = {  # setting -> verdicts of the worse answer
    "failed tests": (Outcome.TEST_FAILED,),
    "any": (Outcome.TEST_FAILED, Outcome.COMPILE_ERROR, Outcome.TIMEOUT),
}
Pair = tuple[Judged, Judged]


class VerdictPairs(FromRuns["VerdictPairs.Params"]):
    """Pairs plausible patches with failed ones of the same prompt."""

    name: ClassVar[str] = "verdict_pairs"
    title: ClassVar[str] = "Plausible against failed patches of runs"
    makes: ClassVar[Rows] = "preferences"

    class Params(RunsParams):
        """The runs, and which of their patches."""

        name: Literal["verdict_pairs"] = "verdict_pairs"
        pairs: int = setting(
            4, "of one prompt; each failed patch is in one of them at most", ge=1, le=1000, title="Most pairs"
        )
        worse: Literal["failed tests", "any"] = setting(
            "failed tests", "which patches are the worse answer: those that fail tests, or also those that do not "
            "compile or do not end", title="Worse answers",
        )  # fmt: skip

        across: bool = setting(
            False,
            "in a conversation, also patches of different turns: one that passed against one that failed, both as "
            "answers to what was asked when it failed",
            title="Across the turns of a conversation",
            more=True,
            linked=True,
        )

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Preference]:
        """One run after the other; what is read and left out is counted by the failed patch."""
        for run in self._runs:
            waiting = self._pairs(run, funnel)
            held: dict[bytes, dict[Judged, Answer | str]] = defaultdict(dict)  # by prompt, until all its pairs are made
            for judged, answer in run.answers({each for pairs in waiting.values() for pair in pairs for each in pair}):
                group = self._group(judged)
                known, pairs = held[group], waiting[group]
                known[judged] = answer
                if all(each in known for pair in pairs for each in pair):
                    for pair in pairs:
                        yield from _preference(run, pair, known, funnel)
                    del held[group]

    def _group(self, judged: Judged) -> bytes:
        """Equal for answers that may be paired."""
        if self.params.across and judged.conversation is not None:
            return f"conversation {judged.conversation}".encode()
        return judged.question

    def _pairs(self, run: AnsweredRun, funnel: Funnel) -> dict[bytes, list[Pair]]:
        """Prompt -> its pairs: the first failed patch with the first plausible one, and so on, in turn."""
        better: dict[bytes, list[Judged]] = defaultdict(list)
        worse: dict[bytes, list[Judged]] = defaultdict(list)
        for judged in self._judged(run):
            if judged.outcome in WORSE[self.params.worse]:
                funnel.source += 1
                if judged.is_repeat:
                    funnel.lose("the same patch as an earlier answer", where(run, judged))
                else:
                    worse[self._group(judged)].append(judged)
            elif not unfit(judged, shared=self.params.shared):
                better[self._group(judged)].append(judged)
        found: dict[bytes, list[Pair]] = {}
        for question, failed in worse.items():
            passing = better.get(question, [])
            most = self.params.pairs if passing else 0
            found[question] = [(passing[at % len(passing)], each) for at, each in enumerate(failed[:most])]
            for each in failed[most:]:
                reason = f"more than {most} pairs of a prompt" if passing else "no answer to its prompt passes"
                funnel.lose(reason, where(run, each))
        return {question: pairs for question, pairs in found.items() if pairs}


def _preference(
    run: AnsweredRun, pair: Pair, known: Mapping[Judged, Answer | str], funnel: Funnel
) -> Iterator[Preference]:
    better, worse = pair
    good, bad = known[better], known[worse]
    name = f"{where(run, better)} against {worse.place}"
    if isinstance(good, str):
        funnel.lose(good, name)
    elif isinstance(bad, str):
        funnel.lose(bad, name)
    elif good.text == bad.text:
        funnel.lose("both answers are the same", name)
    else:
        bug = good.bug
        yield Preference(name, bad.prompt, good.text, bad.text, bug.kind, bug.language, bug.project or bug.id, bug=bug)
