"""The events of a training run: metrics, progress with the time left, checkpoints."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Any

from transformers import TrainerCallback

from engine.errors import UserError
from engine.events import Checkpoint, Metric, Progress
from engine.rundir import RunDir
from engine.trainers import checkpoint, memory, together
from engine.trainers.best import Choice
from engine.trainers.run_files import RunFiles

NAMES = {  # transformers' names -> ours
    "loss": "loss", "learning_rate": "learning_rate", "grad_norm": "grad_norm", "eval_loss": "eval_loss",
    "mean_token_accuracy": "token_accuracy", "eval_mean_token_accuracy": "eval_token_accuracy",
}  # fmt: skip
PANEL = ("plausible_at_", "panel_")  # what begins the names of a bug panel's figures, which are ours already
COUNTED = "num_tokens"  # TRL's count of the tokens that were read and written so far


class EvaluationCut(Exception):
    """Ends a running evaluation, because the training was asked to stop."""


class Reporter(TrainerCallback):  # type: ignore[misc]
    """Turns the trainer's callbacks into events of the run, and marks each saved checkpoint as complete."""

    def __init__(
        self,
        run: RunDir,
        tokens_by_step: Sequence[int],
        steps_per_epoch: float,
        keep: int,
        *,
        also: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`tokens_by_step[i]`: tokens, without padding, of the first i optimizer steps together.

        `keep`: how many checkpoints stay. `also`: further metrics, the trainer's name -> ours. Without
        `tokens_by_step`, which nobody knows before the texts are written, the trainer's own count of tokens is taken.
        """
        self.run = run
        self.tokens_by_step = tokens_by_step
        self.steps_per_epoch = steps_per_epoch
        self.keep = keep
        self.choice: Choice | None = None  # of the checkpoints that stay beside the newest ones
        self.files = RunFiles(run.artifacts, writes=together.leads())
        self.names = {**NAMES, **also}
        self._first_step = 0
        self._started = 0.0
        self._last = (0.0, 0)  # time and step of the last metric
        self._counted = 0.0  # tokens up to then, by the trainer's count
        self.is_stopping = False
        self._counted_from: tuple[float, int] | None = None  # time and number of the first step's end
        self._marked = 0.0  # time of the last step's end, or of the evaluation after it
        self._evaluating, self._evaluated = 0.0, 0
        self._saving, self._saved = 0.0, 0

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Within this context, SIGTERM ends the training after the current step, with a checkpoint."""

        def stop(number: int, frame: FrameType | None) -> None:
            self.is_stopping = True

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGTERM, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._marked = time.monotonic()
        self._counted_from = self._counted_from or (self._marked, int(state.global_step))
        self.is_stopping = together.agreed(self.is_stopping)
        if self.is_stopping or state.global_step >= state.max_steps:
            control.should_log = True  # the curves end at the last step
        if self.is_stopping:
            control.should_save = control.should_training_stop = True

    def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.is_stopping = together.agreed(self.is_stopping)
        if self.is_stopping:  # an evaluation may take long
            raise EvaluationCut

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._first_step = state.global_step
        self._started = time.monotonic()
        self._last = (self._started, state.global_step)
        self._counted = float(getattr(state, "num_input_tokens_seen", 0) or 0)
        if together.leads():
            self.files.continue_from(self._first_step)
        for entry in state.log_history:
            self.files.know(int(entry["step"]), self.values_of(entry))
        self._progress(state)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any) -> None:
        values = self.values_of(logs)
        step = int(state.global_step)
        # The rows of all epochs are one epoch to transformers; it writes `logs` to the run's log after this.
        logs["epoch"] = round(step / self.steps_per_epoch, 3)
        if not values:
            return
        values["epoch"] = step / self.steps_per_epoch
        if "loss" in values:
            now = time.monotonic()
            seconds, before = now - self._last[0], self._last[1]
            if self.tokens_by_step:
                values["tokens_per_s"] = (self.tokens_by_step[step] - self.tokens_by_step[before]) / max(seconds, 1e-9)
            elif logs.get(COUNTED):
                values["tokens_per_s"] = (logs[COUNTED] - self._counted) / max(seconds, 1e-9)
                self._counted = float(logs[COUNTED])
            values["memory_bytes"] = float(memory.measure().bytes)
            values["memory_peak_bytes"] = float(memory.peak().bytes)
            self._last = (now, step)
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        self.run.emit(Metric(step, finite))
        if together.leads():  # each process is told of each point
            self.files.add(step, finite)
        loss = values.get("loss", values.get("eval_loss", 0.0))
        if not math.isfinite(loss):
            raise UserError(
                f"the loss is {loss} at step {step}, so the training has diverged; "
                f"lower the learning rate (it was {args.learning_rate:g}), or set precision to fp32",
                field="trainer.learning_rate",
            )
        self._progress(state)

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._last = (time.monotonic(), state.global_step)  # evaluation time does not count in tokens a second
        self._evaluating, self._evaluated = self._evaluating + self._last[0] - self._marked, self._evaluated + 1
        self._marked = self._last[0]

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        together.wait()  # every process has written its part
        if not together.leads():
            return
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle, which is not needed
        self.files.write_metrics(folder, int(state.global_step), state.global_step / self.steps_per_epoch)
        checkpoint.seal(folder)
        best = self.choice.kept(state.log_history) if self.choice else ()
        checkpoint.rotate(folder.parent, self.keep, best)
        self.run.emit(Checkpoint(int(state.global_step), str(folder)))
        self._last = (time.monotonic(), state.global_step)
        self._saving, self._saved = self._saving + self._last[0] - self._marked, self._saved + 1

    def rates(self, step: int) -> dict[str, float]:
        """The seconds of this worker's steps up to `step`, of its evaluations and checkpoints; call it at the end.

        A plan is made of them (`engine.control.plans`). The first step is left out: it allocates, and may compile.
        """
        began, first = self._counted_from or (time.monotonic(), step)
        spent = time.monotonic() - began - self._evaluating - self._saving
        known = self.tokens_by_step
        tokens = {"tokens": known[step] - known[first]} if known else {}
        return {
            **tokens, "steps": step - first, "training": round(spent, 2),
            "evaluations": self._evaluated, "evaluating": round(self._evaluating, 2),
            "checkpoints": self._saved, "saving": round(self._saving, 2),
        }  # fmt: skip

    def not_trained(self, seconds: float) -> None:
        """So many seconds were spent on something else: they count neither in tokens a second nor in the time left."""
        self._started += seconds
        self._last = (self._last[0] + seconds, self._last[1])
        if self._counted_from:
            self._counted_from = (self._counted_from[0] + seconds, self._counted_from[1])

    def values_of(self, logs: Mapping[str, Any]) -> dict[str, float]:
        """The trainer's figures by our names."""
        return {
            self.names.get(name, name): float(value)
            for name, value in logs.items()
            if (name in self.names or name.startswith(PANEL)) and value is not None
        }

    def _progress(self, state: Any) -> None:
        done = int(state.global_step)
        seconds = time.monotonic() - self._started
        text = f"step {done} of {state.max_steps}"
        if done > self._first_step:
            left = seconds / (done - self._first_step) * (state.max_steps - done)
            text += f", {duration(left)} left"
        self.run.emit(Progress(done, int(state.max_steps), text))


def duration(seconds: float) -> str:
    """Seconds as text: "40 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
