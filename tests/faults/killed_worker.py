"""A worker that gets SIGKILL at one place of a training, named in the environment: before a certain call of a function.

A test that looks at the run's folder from outside and then kills comes too late for most of these places.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from engine.work import __main__ as worker

PLACE = "KILLED_WORKER_PLACE"  # in the environment; without it the worker is as any other


class Call(NamedTuple):
    """The call that is never made: the `number`th of `function`; of a path's method only those of this file name."""

    module: str
    function: str
    number: int = 1
    name: str = ""


PLACES = {
    "as it starts": Call("engine.work.__main__", "inputs_of"),
    "while it loads": Call("engine.trainers.session", "prepare"),
    "before the first step": Call("engine.trainers.exact_loss", "LeanSFTTrainer.training_step"),
    "in a step": Call("accelerate", "Accelerator.clip_grad_norm_"),
    "as a checkpoint begins": Call("peft", "PeftModel.save_pretrained", 2),
    "with the weights of a checkpoint": Call("transformers", "Trainer._save_optimizer_and_scheduler", 2),
    "with its optimizer": Call("transformers", "Trainer._save_rng_state", 2),
    "as a checkpoint is sealed": Call("pathlib", "Path.rename", 1, "COMPLETE.tmp"),
    "in an evaluation": Call("engine.trainers.reporting", "Reporter.on_prediction_step", 2),
    "as the model is written": Call("pathlib", "Path.rename", 1, "model.tmp"),
}


def arm(call: Call) -> None:
    """Replace the function by one that kills this process at that call."""
    *classes, name = call.function.split(".")
    owner = import_module(call.module)
    for each in classes:
        owner = getattr(owner, each)
    real, left = getattr(owner, name), [call.number]

    def counted(*args, **named):
        if not call.name or Path(args[0]).name == call.name:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **named)

    setattr(owner, name, counted)


def main() -> int:
    real = worker.work

    def work(run, *more):
        if place := os.environ.get(PLACE):
            arm(PLACES[place])  # not earlier: the worker prepares its process before any library is imported
        return real(run, *more)

    worker.work = work
    return worker.main(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
