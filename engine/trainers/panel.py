"""The bug panel: every few steps the weights as they are repair some bugs, whose plausible@k is a curve.

Imports torch: for worker processes only.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from accelerate.utils import broadcast_object_list
from transformers import TrainerCallback

from engine.domain import Bug, Model, Outcome
from engine.events import Metric, Progress
from engine.models.loading import Loaded, context_of
from engine.rundir import RunDir
from engine.scoring import CandidateSummary, plausible_at
from engine.trainers.panel_bugs import PanelTrying, chosen, learned_ids
from engine.trainers.reporting import Reporter
from engine.trainers.training_settings import TrainingParams
from engine.trainers.trial_bugs import Trial, TrialBugs
from engine.trainers.writing import Writer

log = logging.getLogger(__name__)
BUGS_AT_ONCE = 8  # after which a stop is noticed
SAME_NUMBERS = 0  # in place of the step: each time the same random numbers, so that only the weights differ


class Panel(TrainerCallback):  # type: ignore[misc]
    """Repairs its bugs before the first step, every few steps, and after the last."""

    def __init__(
        self,
        params: TrainingParams,
        model: Model,
        tokenizer: Any,
        trainer: Any,
        reporter: Reporter,
        run: RunDir,
        learned: Collection[Bug],
    ) -> None:
        """`learned`: bugs that are trained on beside those of the run's dataset. Raises as `TrialBugs`."""
        self._params, self._trainer, self._reporter, self._run = params, trainer, reporter, run
        self._every = params.panel_steps or math.ceil(reporter.steps_per_epoch)
        dataset = run.inputs().dataset
        context = context_of(trainer.model.config)
        loaded = Loaded(trainer.model, tokenizer, context)
        self._writer = Writer(loaded, params.panel_new_tokens, params.panel_temperature, trainer.args.seed)
        self.learned: set[str] = set()
        home = run.path.parent.parent
        self.bugs = TrialBugs(
            PanelTrying.of(params, dataset), model, frozenset(tokenizer.get_vocab()), home, field="trainer.panel"
        )

        def wanted(bugs: list[Bug]) -> list[Bug]:
            self.learned = learned_ids(bugs, model, dataset, learned)
            return chosen(bugs, params, self.learned)

        self.bugs.read(
            lambda prompts: [len(ids) for ids in self._writer.ids(prompts)],
            context - params.panel_new_tokens,
            lambda done, total: run.emit(Progress(0, text=f"testing the known fixes of the panel, {done} of {total}")),
            wanted,
        )
        if self.learned or self.bugs.left_out:
            log.warning("panel: %d bugs are learned from, left out: %s", len(self.learned), dict(self.bugs.left_out))

    @property
    def trials(self) -> list[Trial]:
        return [*self.bugs.trials.values()]

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Also what a stop cut off at the step from which the training continues."""
        step = int(state.global_step)
        if step == 0 and _is_told(self._run):
            return
        if self._is_due(step, state.max_steps) and not any(_has(entry, step) for entry in state.log_history):
            self._repair(args, state, control)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._is_due(int(state.global_step), state.max_steps) and not self._reporter.is_stopping:
            self._repair(args, state, control)

    def _is_due(self, step: int, last: int) -> bool:
        return step % self._every == 0 or step >= last

    def _repair(self, args: Any, state: Any, control: Any) -> None:
        started = time.monotonic()
        told: list[Any] = [{}]
        if state.is_world_process_zero:
            with same_random_state():
                told = [self._values(int(state.global_step), int(state.max_steps))]
        if self._trainer.accelerator.num_processes > 1:
            broadcast_object_list(told)  # all decide alike which checkpoint is saved
        seconds = time.monotonic() - started
        self._reporter.not_trained(seconds)
        values: dict[str, float] = told[0]
        if not values:
            if self._reporter.is_stopping:  # saved here, so that the resumed run repairs the panel of this step
                control.should_log = control.should_save = control.should_training_stop = True
            return
        values["panel_seconds"] = round(seconds, 3)
        state.log_history.append({"epoch": state.epoch, **values, "step": int(state.global_step)})
        wants_log = control.should_log
        self._trainer.callback_handler.on_log(args, state, control, values)
        control.should_log = wants_log

    def _values(self, step: int, steps: int) -> dict[str, float]:
        """The figures of this step; none if it was cut off by a stop, or there is not enough memory."""
        outcomes: dict[str, dict[int, str]] = {}
        trials = self.trials
        try:
            for start in range(0, len(trials), BUGS_AT_ONCE):
                text = f"step {step} of {steps}; repairing the panel, {len(outcomes)} of {len(trials)} bugs"
                self._run.emit(Progress(step, steps, text))
                outcomes |= self._tried(trials[start : start + BUGS_AT_ONCE])
                if self._reporter.is_stopping:
                    return {}
        except torch.OutOfMemoryError as error:
            log.warning("panel: no figures at step %d, the GPU's memory is too small: %s", step, error)
            torch.cuda.empty_cache()
            return {}
        return figures(outcomes, self._params.panel_ranks)

    def _tried(self, trials: Sequence[Trial]) -> dict[str, dict[int, str]]:
        """Bug -> rank -> outcome."""
        ids = self._writer.ids([trial.prompt for trial in trials])
        written = self._writer.write(ids, self._params.panel_candidates, SAME_NUMBERS)
        answered = [
            (trial.bug.id, self._writer.read(tokens))
            for trial, group in zip(trials, written, strict=True)
            for tokens in group
        ]
        found: dict[str, dict[int, str]] = {trial.bug.id: {} for trial in trials}
        for (bug_id, _), tried in zip(answered, self.bugs.judge(answered), strict=True):
            found[bug_id][len(found[bug_id]) + 1] = tried.verdict.outcome
        return found


def figures(outcomes: dict[str, dict[int, str]], ranks: Collection[int]) -> dict[str, float]:
    """plausible@k with its interval and counts, from the outcome of each rank of each bug; what was not run counts for
    nothing."""
    lost = sum(outcome == Outcome.NOT_RUN for each in outcomes.values() for outcome in each.values())
    summaries = Counter(CandidateSummary.of(each, is_over=True) for each in outcomes.values())
    judged = Counter({each: count for each, count in summaries.items() if each.judged})
    values = {"panel_bugs": float(len(outcomes)), "panel_not_run": float(lost)}
    for k in ranks:
        share = plausible_at(judged, k)
        if share.total:
            low, high = share.interval
            values |= {
                f"plausible_at_{k}": share.fraction,
                f"plausible_at_{k}_low": round(low, 6),
                f"plausible_at_{k}_high": round(high, 6),
                f"plausible_at_{k}_bugs": float(share.hits),
                f"plausible_at_{k}_of": float(share.total),
            }
    return values


@contextmanager
def same_random_state() -> Iterator[None]:
    """What is drawn in this context changes nothing that is drawn after it."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    on_gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if on_gpus:
            torch.cuda.set_rng_state_all(on_gpus)


def _has(entry: dict[str, Any], step: int) -> bool:
    return entry.get("step") == step and "panel_bugs" in entry


def _is_told(run: RunDir) -> bool:
    """Whether the panel was repaired before the first step already, by an earlier worker."""
    return any(
        isinstance(event.payload, Metric) and event.payload.step == 0 and "panel_bugs" in event.payload.values
        for event in run.all_events()
    )
