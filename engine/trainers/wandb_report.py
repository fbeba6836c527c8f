"""Sends a training's settings and curves to Weights & Biases, from this process alone; its failures end no training.

W&B's own files are in the run's folder, `wandb/`. The key is taken out of the environment of this process, so nothing
that it starts later has it, and no file of ours holds it.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from transformers import TrainerCallback

from engine.errors import UserError
from engine.rundir import RunDir
from engine.trainers.training_settings import TrainingParams
from engine.trainers.watch_settings import WANDB_KEY

log = logging.getLogger(__name__)
WITHOUT_KEY = ("offline", "disabled", "dryrun")  # values of WANDB_MODE
SECONDS = 60  # that W&B may take to begin, and to end; `wandb sync` sends the rest
HISTOGRAM_STEPS = 100  # between two histograms of a weight


class Sent(TrainerCallback):  # type: ignore[misc]
    """Sends what is logged; after its first failure it says so in the run's log and sends nothing more."""

    def __init__(
        self, params: TrainingParams, run: RunDir, names: Callable[[dict[str, Any]], dict[str, float]]
    ) -> None:
        """`names`: the trainer's figures -> those of the run's events. Raises UserError without a key."""
        self._params, self._run, self._names = params, run, names
        self._key = os.environ.pop(WANDB_KEY, None)
        if not self._key and os.environ.get("WANDB_MODE") not in WITHOUT_KEY:
            raise UserError(
                f"Weights & Biases needs its key in the environment of what starts the runs, which is the studio while "
                f"it is open: start that with {WANDB_KEY} set, or with WANDB_MODE=offline, and resume this run",
                field="trainer.report_to_wandb",
            )
        self._there: Any = None
        self._has_failed = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            self._guarded(self._begin)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Histograms, by W&B's own names; not by its hooks, whose failures would end the backward pass."""
        watched, step = self._params.wandb_watch, int(state.global_step)
        if watched != "false" and self._there is not None and model is not None and step % HISTOGRAM_STEPS == 0:
            self._guarded(lambda: self._send_histograms(model, step, with_weights=watched == "all"))

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any) -> None:
        values = self._names(logs)
        if self._there is not None and values:
            self._guarded(lambda: self._there.log({**values, "step": int(state.global_step)}))

    def end(self, *, is_done: bool) -> None:
        """Send the model if it is wanted and finished, and close the run there."""
        if self._there is not None and is_done and self._params.wandb_log_model:
            self._guarded(self._send_model)
        if self._there is not None:
            self._guarded(lambda: self._close(0 if is_done else 1))

    def _begin(self) -> None:
        import wandb

        folder = self._run.path / "wandb"
        folder.mkdir(exist_ok=True)
        for name in ("CACHE", "CONFIG", "DATA"):  # else they would be in the user's home
            os.environ[f"WANDB_{name}_DIR"] = str(folder)
        params, spec = self._params, self._run.spec()
        self._there = wandb.init(
            project=params.wandb_project,
            name=params.wandb_run or str(spec.get("name") or f"run {self._run.path.name}"),
            id=hashlib.blake2b(str(self._run.path).encode(), digest_size=6).hexdigest(),
            resume="allow",  # a run that is resumed goes on there
            tags=params.tags,
            dir=self._run.path,
            config=spec | {"trainer": params.model_dump(mode="json")},
            settings=wandb.Settings(
                api_key=self._key,
                console="off",
                init_timeout=SECONDS,
                finish_timeout=SECONDS,
                x_disable_meta=True,
                x_disable_stats=True,
                x_disable_machine_info=True,
                disable_git=True,
                save_code=False,
                silent=True,
            ),
        )
        self._there.define_metric("*", step_metric="step")

    def _send_histograms(self, model: Any, step: int, *, with_weights: bool) -> None:
        import wandb

        told: dict[str, Any] = {"step": step}
        for name, weight in model.named_parameters():
            if weight.grad is not None:
                told[f"gradients/{name}"] = wandb.Histogram(weight.grad.detach().float().cpu().numpy())
                if with_weights:
                    told[f"parameters/{name}"] = wandb.Histogram(weight.detach().float().cpu().numpy())
        self._there.log(told)

    def _send_model(self) -> None:
        import wandb

        made = wandb.Artifact(f"model-{self._there.id}", type="model")
        made.add_dir(str(self._run.artifacts / "model"))
        self._there.log_artifact(made)

    def _close(self, code: int) -> None:
        """W&B's own process writes the rest of its file as it ends, and it is waited for: this one ends at once."""
        import wandb

        self._there.finish(exit_code=code)
        wandb.teardown(exit_code=code)

    def _guarded(self, step: Callable[[], Any]) -> None:
        """Whatever goes wrong outside is no reason to lose a training."""
        if self._has_failed:
            return
        try:
            step()
        except Exception as error:
            self._has_failed = True
            text = str(error).replace(self._key, "***") if self._key else str(error)
            log.warning("Weights & Biases: %s (%s); nothing more is sent", text, type(error).__name__)


@contextmanager
def sent(trainer: Any, params: TrainingParams, run: RunDir, names: Callable[..., dict[str, float]]) -> Iterator[None]:
    """In this context the trainer's curves are sent. Raises UserError without a key."""
    sending = Sent(params, run, names)
    trainer.add_callback(sending)
    is_done = False
    try:
        yield
        is_done = True
    finally:
        sending.end(is_done=is_done)
