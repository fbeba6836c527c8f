"""The bugs that a model repairs while it is trained, those whose tests work here; its patches are tested."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine import plugin_text
from engine.domain import Bug, Completion, Model, Outcome, Patch, Verdict
from engine.errors import OutsideFailure, UserError
from engine.judging import Judge, threads_for
from engine.plugins import BENCHMARKS, REPRESENTATIONS, SANDBOXES
from engine.representations import CannotShow, Representation
from engine.representations.chat_template import for_model
from engine.sandboxes.auto import usable
from engine.trainers.rewards import Reward, reward_of

Told = Callable[[int, int], None]  # is called with how many bugs are tested, and of how many


class Trying(Protocol):
    """The settings by which bugs are tried; benchmark, representation and sandbox are plug-ins as texts."""

    @property
    def benchmark(self) -> str: ...

    @property
    def representation(self) -> str: ...

    @property
    def sandbox(self) -> str: ...

    @property
    def workers(self) -> int | None:
        """Patches tested at a time; None: one per core."""

    @property
    def max_new_tokens(self) -> int: ...


@dataclass(frozen=True)
class Trial:
    """One bug with what the model reads of it."""

    bug: Bug
    prompt: str
    tokens: int  # of the prompt


@dataclass(frozen=True)
class Tried:
    """One completion for a bug with what became of it; without a reward, the infrastructure failed."""

    verdict: Verdict
    reward: Reward | None


class TrialBugs:
    """The bugs, and a pool of threads in which patches for them are tested."""

    def __init__(
        self, params: Trying, model: Model, vocabulary: frozenset[str], home: Path, *, field: str = "trainer.benchmark"
    ) -> None:
        """`home`: whose verdicts are used; `field`: the setting that names the benchmark.

        Raises SandboxUnavailable where nothing can be run safely, UserError.
        """
        self._tokens, self._field = params.max_new_tokens, field
        self._benchmark = BENCHMARKS.create(plugin_text.read(params.benchmark, BENCHMARKS))
        shown = REPRESENTATIONS.create(plugin_text.read(params.representation, REPRESENTATIONS))
        self._shown: Representation = for_model(shown, model, vocabulary)
        at_once = params.workers or len(os.sched_getaffinity(0))
        self._judge = Judge(self._benchmark, usable(plugin_text.read(params.sandbox, SANDBOXES)), home, at_once)
        self._pool = ThreadPoolExecutor(threads_for(at_once), thread_name_prefix="reward")
        self.left_out: Counter[str] = Counter()  # reason -> bugs
        self.trials: dict[str, Trial] = {}  # by bug id, in the benchmark's order

    def read(
        self,
        lengths: Callable[[Sequence[str]], Sequence[int]],
        room: int,
        told: Told,
        chosen: Callable[[list[Bug]], list[Bug]] = list,
    ) -> None:
        """Find the bugs that can be tried; a prompt may have `room` tokens, of which `lengths` tells how many.

        `chosen`: which of the benchmark's bugs are wanted. Raises UserError if none is left, OutsideFailure if that is
        for reasons outside.
        """
        bugs = chosen(self._benchmark.bugs())
        aside = self._benchmark.skipped()
        prompts: dict[str, str] = {}
        for bug in bugs:
            if bug.id in aside:
                self.left_out[aside[bug.id]] += 1
                continue
            try:
                prompt = self._shown.encode(bug).prompt
            except CannotShow as reason:
                self.left_out[f"cannot be encoded: {reason}"] += 1
                continue
            assert isinstance(prompt, str), "the chat template made text of messages"
            prompts[bug.id] = prompt
        by_id = dict(zip(prompts, lengths([*prompts.values()]), strict=True))
        fitting = [bug for bug in bugs if bug.id in prompts and by_id[bug.id] <= room]
        self.left_out += Counter({"a prompt that is too long": len(prompts) - len(fitting)})
        is_outside = False
        for count, (bug, control) in enumerate(zip(fitting, self._pool.map(self._judge.control, fitting), strict=True)):
            told(count, len(fitting))
            is_outside |= Outcome.NOT_RUN in (control.known_fix.outcome, control.buggy_code.outcome)
            if control.trouble:
                self.left_out[control.trouble] += 1
            else:
                self.trials[bug.id] = Trial(bug, prompts[bug.id], by_id[bug.id])
        if not self.trials:
            why = ", ".join(f"{count} {reason}" for reason, count in self.left_out.items()) or "it has none"
            text = f"no bug of {self._benchmark.name} can be tried here: {why}"
            raise OutsideFailure(text) if is_outside else UserError(text, field=self._field)

    def judge(self, answered: Iterable[tuple[str, Completion]]) -> list[Tried]:
        """The reward of each completion, given with its bug's id, in their order; equal patches are tested once.

        Every test runs in the sandbox, several patches at a time.
        """
        patches = [
            (self.trials[bug_id].bug, completion, self._patch(bug_id, completion)) for bug_id, completion in answered
        ]
        waiting: dict[tuple[str, str | None], Future[Verdict]] = {}
        for bug, _, patch in patches:
            if (bug.id, patch.text) not in waiting and patch.text not in (None, bug.buggy):
                waiting[bug.id, patch.text] = self._pool.submit(self._judge.verdict, bug, patch)
        found = []
        for bug, completion, patch in patches:
            future = waiting.get((bug.id, patch.text))
            verdict = future.result() if future else Verdict(Outcome.NO_PATCH, patch.reason or "it changes nothing")
            found.append(Tried(verdict, reward_of(bug, patch, completion, verdict, self._tokens)))
        return found

    def close(self) -> None:
        """End the threads; what is still tested is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _patch(self, bug_id: str, completion: Completion) -> Patch:
        bug = self.trials[bug_id].bug
        text = completion.text if completion.is_finished else self._shown.trim(completion.text, bug)
        return self._shown.decode(text, bug)
