"""Rejection sampling in rounds: a model's own patches that pass become what it is trained on, again and again.

A round is three ordinary runs: a benchmark run on bugs to train on, a dataset of the plausible patches of all rounds so
far, and a training of the first model on it, whose result writes the patches of the next round. Always training the
first model anew keeps it from drifting (STaR, Zelikman et al. 2022, arXiv 2203.14465).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.control.runs import Runs
from engine.control.views import RunView
from engine.errors import UserError
from engine.params import shown
from engine.plugins import TRAINERS
from engine.rundir import RESUMABLE
from engine.spec_files import read_spec
from engine.specs import Spec, TrainSpec

PREFIX = "rounds-"  # of the groups of runs
KINDS = ("benchmark", "dataset", "train")  # the runs of a round, in their order
OWN = {"benchmark": ("model",), "dataset": ("name", "builder.runs", "model"), "train": ("name", "model", "dataset")}
DEFAULTS = {"benchmark": ("generator=sampling",), "dataset": ("builder=verdicts",), "train": ()}


class Rounds:
    """Queues rounds, each run after the one whose result it needs; they are started by the queue like any others."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def start(self, model: str, rounds: int, overrides: Sequence[str] = ()) -> str:
        """Queue all runs of all rounds and return their group.

        `overrides` ("benchmark.candidates=20") change the settings of all runs of a kind, as the shell's --set does.
        Raises UserError on a wrong one, and as `Runs.submit`; then nothing is left in the queue.
        """
        _check(overrides)
        number = 1 + max((int(group.removeprefix(PREFIX)) for group in self._runs.groups(PREFIX)), default=0)
        group = f"{PREFIX}{number}"
        queued: list[int] = []
        sampled: list[int] = []
        writer = model
        try:
            for each in range(1, rounds + 1):
                data, made = f"{group}-data-{each}", f"{group}-model-{each}"
                sampled.append(self._queue(group, queued, "benchmark", overrides, model=writer))
                runs = json.dumps([str(run) for run in sampled])
                self._queue(group, queued, "dataset", overrides, **{"name": data, "builder.runs": runs, "model": model})
                self._queue(group, queued, "train", overrides, name=made, dataset=data, model=model)
                writer = made
        except Exception:
            for run in reversed(queued):
                self._runs.stop(run)
            raise
        return group

    def command(self, model: str, rounds: int, overrides: Sequence[str] = ()) -> str:
        """The shell command that starts the same. Raises UserError on a wrong override."""
        _check(overrides)
        return self._runs.shell("rounds", "--model", model, "--rounds", str(rounds), set_=overrides)

    def _queue(self, group: str, queued: list[int], kind: str, overrides: Sequence[str], **own: str) -> int:
        wanted = [text.removeprefix(f"{kind}.") for text in overrides if text.startswith(f"{kind}.")]
        spec: Spec = read_spec(kind, "", [*DEFAULTS[kind], *wanted, *(f"{name}={text}" for name, text in own.items())])
        if isinstance(spec, TrainSpec) and "samples" not in (accepted := TRAINERS.create(spec.trainer).accepts):
            raise UserError(
                f"trainer: {spec.trainer.name} learns from {' or '.join(sorted(accepted))}, and rounds make samples of "
                "the patches that pass; choose sft",
                field="trainer",
            )
        queued.append(self._runs.submit(spec, after=queued[-1] if queued else None, group=group))
        return queued[-1]

    def runs(self, group: str) -> Sequence[RunView]:
        """The runs of all rounds of a group, in their order. Raises UserError if there are none."""
        found = [*reversed(self._runs.list(group=group))] if group.startswith(PREFIX) else []
        if not found:
            known = ", ".join(self._runs.groups(PREFIX)) or "none yet"
            raise UserError(f"there are no rounds {shown(group)}; known: {known}")
        return found

    def resume(self, group: str) -> int:
        """Continue what did not come to its end, and all that waited for it; returns how many runs that are.

        Raises UserError if there is nothing to continue.
        """
        ended = [run for run in self.runs(group) if run.state in RESUMABLE]
        if not ended:
            raise UserError(f"{group}: every run is done, or still to come; there is nothing to resume")
        for run in reversed(ended):  # the last ones first: none may start before the one that it waits for is queued
            self._runs.resume(run.id)
        return len(ended)


def _check(overrides: Sequence[str]) -> None:
    """Raises UserError for an override that belongs to no kind of run here, or that the rounds have to set."""
    for text in overrides:
        kind, _, rest = text.partition(".")
        field = rest.partition("=")[0]
        if kind not in KINDS or "=" not in rest:
            known = ", ".join(f"{each}." for each in KINDS)
            raise UserError(
                f"--set {shown(text)} names no run of a round; begin with one of {known} as in benchmark.candidates=20"
            )
        if field in OWN[kind]:
            raise UserError(f"{kind}.{field}: the rounds set this themselves to connect their runs; leave it out")
