"""The demo: one click queues building, training, merging and benchmarking, each an ordinary run with a preset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.control.patches import Patches
from engine.control.runs import Runs
from engine.control.views import RunView
from engine.errors import UserError
from engine.params import shown
from engine.rundir import ENDED
from engine.spec_files import read_spec

PREFIX = "demo-"  # of the groups of runs that are demos
STAGES = (
    # title, page that shows it
    ("Build a dataset", "datasets"),
    ("Train an adapter", "monitor"),
    ("Merge and check", "merge"),
    ("Benchmark the base model", "patches"),
    ("Benchmark your adapter", "patches"),
    ("Benchmark the shipped adapter", "patches"),
)


@dataclass(frozen=True)
class Stage:
    """One stage of the demo as the first page shows it."""

    title: str
    run_id: int
    state: str
    fraction: float | None  # done, 0 to 1
    text: str
    tab: str
    error: str


@dataclass(frozen=True)
class Row:
    """One model of the demo's table; counts of bugs."""

    model: str
    run_id: int
    state: str
    bugs: int  # to be tested
    scored: int
    plausible_at_1: int
    plausible_at_10: int
    control_failures: int
    seconds: float | None
    example: str = ""  # a bug for which the model has a plausible patch, of the smallest rank

    @property
    def is_done(self) -> bool:
        """Whether its figures count all bugs; of a run under way, the first few say nothing."""
        return self.state == "done" and self.scored > 0


class Demo:
    """Starts the demo and reports its progress; its runs are started by the queue like any others."""

    def __init__(self, runs: Runs, patches: Patches) -> None:
        self._runs = runs
        self._patches = patches

    def start(self, overrides: Sequence[str] = ()) -> str:
        """Queue all stages and return their group. Datasets and models of a second demo get other names.

        `overrides` ("train.trainer.max_steps=4") change a stage's preset, as the shell's --set does. Raises UserError
        on a wrong one, before anything is queued.
        """
        number = 1 + max((int(group.removeprefix(PREFIX)) for group in self._runs.groups(PREFIX)), default=0)
        group = f"{PREFIX}{number}"
        suffix = "" if number == 1 else f"-{number}"
        dataset, adapter, merged = (f"{name}{suffix}" for name in ("demo", "demo-adapter", "demo-merged"))
        own: list[tuple[str, str, dict[str, str]]] = [
            # kind, preset, fields by which the stages refer to each other
            ("dataset", "demo", {"name": dataset}),
            ("train", "demo", {"name": adapter, "dataset": dataset}),
            ("merge", "demo", {"name": merged, "adapter": adapter}),
            ("benchmark", "zero-shot", {"model": "starter"}),
            ("benchmark", "demo", {"model": adapter}),
            ("benchmark", "demo", {"model": "starter-adapter"}),
        ]
        _check(overrides, own)
        specs = [
            read_spec(
                kind, preset, [*_of_stage(overrides, kind), *(f"{field}={text}" for field, text in fixed.items())]
            )
            for kind, preset, fixed in own
        ]

        build, train, merge, base, adapter, shipped = specs
        # each with the index of the one that it waits for
        self._runs.submit_together(
            [(build, None), (train, 0), (merge, 1), (base, None), (adapter, 1), (shipped, None)], group
        )
        return group

    def cancel(self) -> int:
        """Stop every run of the newest demo that has not ended; returns how many. Raises UserError if all have."""
        unfinished = [run for run in self.runs() if run.state not in ENDED]
        if not unfinished:
            raise UserError("no demo is running, so there is none to cancel")
        for run in reversed(unfinished):  # the later ones first, so that none starts in between
            self._runs.stop(run.id)
        return len(unfinished)

    def is_running(self) -> bool:
        """Whether some stage of the newest demo is queued or running."""
        return any(run.state not in ENDED for run in self.runs())

    def runs(self, group: str = "") -> Sequence[RunView]:
        """The runs of one demo (the newest if `group` is empty), in the order of its stages."""
        group = group or next(iter(self._runs.groups(PREFIX)), "")
        return [*reversed(self._runs.list(group=group))] if group else []

    def stages(self, group: str = "") -> list[Stage]:
        """The stages of one demo (the newest if `group` is empty); empty before the first demo."""
        return [
            Stage(title, run.id, run.state, run.fraction, run.outcome or run.progress, tab, run.error)
            for (title, tab), run in zip(STAGES, self.runs(group), strict=False)
        ]

    def table(self, group: str = "") -> list[Row]:
        """One row per model with the verdicts so far.

        Without `group`, of the newest demo that has a finished benchmark; else of the newest that has any verdict.
        """
        if group:
            return self._table(group)
        begun = []
        for each in self._runs.groups(PREFIX):
            table = self._table(each)
            if any(row.is_done for row in table):
                return table
            begun += [table] if any(row.scored for row in table) else []
        return begun[0] if begun else []

    def _table(self, group: str) -> list[Row]:
        rows = []
        for run in self.runs(group):
            if run.kind != "benchmark":
                continue
            totals = self._patches.totals(run.id)
            took = run.seconds
            at = {k: share.hits for k, share in totals.plausible_at.items()}
            rows.append(
                Row(
                    model=str(run.spec["model"]),
                    run_id=run.id,
                    state=run.state,
                    bugs=totals.bugs - sum(totals.skipped.values()),
                    scored=totals.scored,
                    plausible_at_1=at.get(1, 0),
                    plausible_at_10=at.get(10, at.get(max(at), 0)),
                    control_failures=totals.control_failures,
                    seconds=took,
                    example=next(iter(self._patches.repaired(run.id)), ""),
                )
            )
        return rows


def _of_stage(overrides: Sequence[str], kind: str) -> list[str]:
    """The overrides of one kind of run, as its --set takes them."""
    return [text.removeprefix(f"{kind}.") for text in overrides if text.startswith(f"{kind}.")]


def _check(overrides: Sequence[str], own: Sequence[tuple[str, str, dict[str, str]]]) -> None:
    """Raises UserError for an override that belongs to no stage, or that the demo itself has to set."""
    kinds = list(dict.fromkeys(kind for kind, _, _ in own))
    for text in overrides:
        stage, _, rest = text.partition(".")
        field = rest.partition("=")[0]
        if stage not in kinds or "=" not in rest:
            known = ", ".join(f"{kind}." for kind in kinds)
            raise UserError(
                f"--set {shown(text)} names no stage of the demo; begin with one of {known} as in "
                "train.trainer.max_steps=20"
            )
        if any(field in fixed for kind, _, fixed in own if kind == stage):
            raise UserError(f"{stage}.{field}: the demo sets this itself to connect its stages; leave it out")
