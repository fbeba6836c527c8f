"""A training session that learns from verdicts: patches are written, tested in the sandbox, and compared in groups.

Imports torch and TRL: for worker processes only.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import set_seed
from trl import GRPOConfig, GRPOTrainer

from engine import plugin_text, trained_on
from engine.domain import Model, Outcome
from engine.errors import OutsideFailure
from engine.events import Progress
from engine.models.loading import Loaded, best_device, context_of, load_tokenizer
from engine.plugins import BENCHMARKS
from engine.rundir import RunDir
from engine.trainers.arguments import Plan, shared_arguments
from engine.trainers.grpo_settings import GrpoParams
from engine.trainers.reporting import Reporter
from engine.trainers.rewards import PARTS
from engine.trainers.rows import order
from engine.trainers.running import REFERENCE, run_to_end
from engine.trainers.trial_bugs import TrialBugs, Tried
from engine.trainers.weights import precision, prepare, trained_exactly
from engine.trainers.writing import Writer

log = logging.getLogger(__name__)
MOST_LOST = 3  # optimizer steps in a row in which nothing could be run
NAMES = {
    "reward": "reward",
    "reward_std": "reward_std",
    **{f"rewards/{part}/mean": f"reward_{part}" for part in PARTS},
    "plausible": "plausible",
    "not_run": "not_run",
    "completions/mean_length": "completion_tokens",
    "kl": "kl",
    "entropy": "entropy",
}


def train(params: GrpoParams, model: Model, seed: int, run: RunDir) -> dict[str, Any]:
    """See `engine.trainers.Trainer.train`; `params` are filled in for this model."""
    started = time.monotonic()
    run.emit(Progress(0, text="loading the model"))
    compute = precision(params, best_device())
    tokenizer = load_tokenizer(Path(model.weights))
    set_seed(seed)  # before the new matrices are drawn
    weights = prepare(params, model)
    context = context_of(weights.config)
    writer = Writer(Loaded(weights, tokenizer, context), params.max_new_tokens, params.temperature, seed)
    bugs = TrialBugs(params, model, frozenset(tokenizer.get_vocab()), run.path.parent.parent)
    try:
        bugs.read(
            lambda prompts: [len(ids) for ids in writer.ids(prompts)],
            context - params.max_new_tokens,
            lambda done, total: run.emit(Progress(0, text=f"testing the known fixes, {done} of {total}")),
            lambda found: found[: params.limit],
        )
        if bugs.left_out:
            log.warning("bugs left out: %s", dict(bugs.left_out))
        trials = [*bugs.trials.values()]
        plan = Plan.of(params, len(trials) * params.candidates)
        lengths = np.array([trial.tokens for trial in trials], np.int64)
        places = order(lengths, plan.steps * params.bugs_per_step, seed, 1, by_length=False)
        reporter = Reporter(run, (), len(trials) / params.bugs_per_step, params.keep_checkpoints, also=NAMES)
        rewarded = Rewarded(bugs, writer, params.candidates)
        with trained_exactly(weights):
            trainer = _trainer(params, plan, weights, tokenizer, rewarded, reporter, compute, run, seed,
                               [trials[place].prompt for place in places],
                               [trials[place].bug.id for place in places])  # fmt: skip
        if params.beta and params.adds_matrices and model.kind != "adapter":
            # TRL has copied the new matrices to compare with; they change nothing yet, so without any it is the same
            trainer.model.delete_adapter(REFERENCE)
        learned = [trial.bug for trial in trials]
        figures = run_to_end(trainer, reporter, params, model, tokenizer, run, plan.steps, learned)
    finally:
        bugs.close()
    benchmark = plugin_text.read(params.benchmark, BENCHMARKS)
    trained_on.write(run.artifacts / "model", benchmark, [trial.bug for trial in trials])
    history = [entry["reward"] for entry in trainer.state.log_history if entry.get("reward") is not None]
    return figures | {
        "benchmark": benchmark.model_dump(mode="json"),
        "samples": len(set(places)),
        "samples_seen": len(places),
        "left_out": dict(bugs.left_out),
        "first_reward": history[0] if history else None,
        "last_reward": history[-1] if history else None,
        "outcomes": dict(rewarded.outcomes),
        "seconds": round(time.monotonic() - started, 1),
    }


class Rewarded:
    """What TRL asks for: completions of prompts, and then the parts of their rewards."""

    def __init__(self, bugs: TrialBugs, writer: Writer, candidates: int) -> None:
        self._bugs, self._writer, self._candidates = bugs, writer, candidates
        self._tried: list[Tried] = []
        self._lost = 0  # steps in a row in which nothing could be run
        self.outcomes: Counter[str] = Counter()  # of the patches of this worker

    def write(self, prompts: Sequence[str], trainer: Any) -> dict[str, Any]:
        """TRL's `rollout_func`; it repeats each prompt as often as there are candidates."""
        ids = self._writer.ids(prompts)
        groups = self._writer.write(ids[:: self._candidates], self._candidates, int(trainer.state.global_step))
        return {"prompt_ids": ids, "completion_ids": [*chain.from_iterable(groups)], "logprobs": None}

    def parts(self) -> list[Callable[..., list[float | None]]]:
        """TRL's reward functions, one for each part; the first has the patches tested."""
        return [self._part(name, is_first=not place) for place, name in enumerate(PARTS)]

    def _part(self, name: str, *, is_first: bool) -> Callable[..., list[float | None]]:
        def part(
            completion_ids: list[list[int]], bug_id: list[str], log_metric: Callable[[str, float], None], **_: Any
        ) -> list[float | None]:
            if is_first:
                self._test(completion_ids, bug_id, log_metric)
            return [None if tried.reward is None else float(getattr(tried.reward, name)) for tried in self._tried]

        part.__name__ = name  # as which TRL logs it
        return part

    def _test(
        self, completion_ids: list[list[int]], bug_ids: list[str], log_metric: Callable[[str, float], None]
    ) -> None:
        """Raises OutsideFailure after several steps in which no patch could be run."""
        completions = [self._writer.read(ids) for ids in completion_ids]
        self._tried = self._bugs.judge(zip(bug_ids, completions, strict=True))
        outcomes = Counter(tried.verdict.outcome for tried in self._tried)
        self.outcomes.update({outcome.value: count for outcome, count in outcomes.items()})
        log_metric("plausible", outcomes[Outcome.PLAUSIBLE] / len(self._tried))
        log_metric("not_run", outcomes[Outcome.NOT_RUN] / len(self._tried))
        self._lost = self._lost + 1 if outcomes[Outcome.NOT_RUN] == len(self._tried) else 0
        if self._lost == MOST_LOST:
            last = self._tried[-1].verdict
            raise OutsideFailure(f"no patch could be tested for {MOST_LOST} steps: {last.reason}; {last.log[:300]}")


def _trainer(
    params: GrpoParams, plan: Plan, weights: Any, tokenizer: Any, rewarded: Rewarded, reporter: Reporter, compute: Any,
    run: RunDir, seed: int, prompts: Sequence[str], bug_ids: Sequence[str],
) -> Any:  # fmt: skip
    """TRL's trainer on these prompts, in their order."""
    shared = shared_arguments(params, plan, compute, run.artifacts / "checkpoints", seed, evaluates=False)
    config = GRPOConfig(
        **shared,
        num_generations=params.candidates,
        steps_per_generation=params.accumulation,
        max_completion_length=params.max_new_tokens,
        temperature=params.temperature,
        beta=params.beta,
        loss_type=params.loss,
        shuffle_dataset=False,  # the prompts are already in their order
        reward_weights=[getattr(params, f"weight_{part}") for part in PARTS],
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="You are using 'rollout_func'")  # it may change: TRL is pinned
        return GRPOTrainer(
            model=weights,
            reward_funcs=rewarded.parts(),
            args=config,
            train_dataset=Dataset.from_dict({"prompt": list(prompts), "bug_id": list(bug_ids)}),
            processing_class=tokenizer,
            callbacks=[reporter],
            rollout_func=rewarded.write,
        )
