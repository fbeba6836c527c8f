"""Sweeps: one run for each combination of some settings' values, as a group whose best run is marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.attempts import at, has_attempts
from engine.control.patches import Patches
from engine.control.runs import Runs
from engine.control.views import RunView
from engine.errors import UserError
from engine.specs import WITH_PATCHES, Spec, overrides_of
from engine.sweep_specs import MOST

PREFIX = "sweep-"  # of the groups of runs that are sweeps
LOWER = ("loss", "perplexity", "seconds", "memory", "duration")  # in the name of a figure of which less is better
DEFAULTS = {
    "train": ("eval_loss", "train_loss", "loss"),
    "benchmark": ("plausible@1", at(10, attempts=True)),
    "validate": ("plausible@1",),
}


@dataclass(frozen=True)
class Compared:
    """Runs side by side: the settings in which they differ, and their figures."""

    runs: tuple[RunView, ...]
    settings: Mapping[str, tuple[Any, ...]]  # path of a setting -> its value in each run, None where it has none
    figures: Mapping[str, tuple[float | None, ...]]  # name -> its value in each run, None where it has none (yet)
    metric: str  # the figure by which the best is chosen; empty where there is none
    best: int | None  # the number of the best run


class Sweeps:
    """Starts sweeps, and compares runs of any kind by their settings and figures."""

    def __init__(self, runs: Runs, patches: Patches) -> None:
        self._runs = runs
        self._patches = patches

    def start(self, specs: Sequence[Spec]) -> str:
        """Queue the runs as a new group, all or none, and return its name. Raises as `Runs.submit_together`."""
        number = 1 + max((int(group.removeprefix(PREFIX)) for group in self._runs.groups(PREFIX)), default=0)
        group = f"{PREFIX}{number}"
        self._runs.submit_together([(spec, None) for spec in specs], group)
        return group

    def command(self, base: Spec, over: Sequence[str]) -> str:
        """The shell command that starts a sweep over these values."""
        values = [word for each in over for word in ("--over", each)]
        return self._runs.shell("sweep", str(getattr(base, "kind", "")), *values, set_=overrides_of(base))

    def runs(self, group: str) -> Sequence[RunView]:
        """The runs of a sweep, in their order. Raises UserError if there is no such sweep."""
        found = self._runs.list(group=group, limit=MOST) if group.startswith(PREFIX) else []
        if not found:
            known = ", ".join(self._runs.groups(PREFIX)[:10]) or "none yet"
            raise UserError(f"there is no sweep {group!r}; known: {known}")
        return [*reversed(found)]

    def compared(self, run_ids: Sequence[int], metric: str = "") -> Compared:
        """These runs side by side. Raises UserError on an unknown run, or a figure that none of them has."""
        runs = tuple(self._runs.get(each) for each in run_ids)
        each = [self._figures(run) for run in runs]
        names = sorted({name for figures in each for name in figures})
        if metric and metric not in names:
            raise UserError(f"none of these runs has the figure {metric!r}; they have {', '.join(names) or 'none yet'}")
        chosen = metric or next((name for run in runs for name in DEFAULTS.get(run.kind, ()) if name in names), "")
        figures = {name: tuple(of.get(name) for of in each) for name in names}
        return Compared(runs, differing([run.spec for run in runs]), figures, chosen, _best(runs, figures, chosen))

    def _figures(self, run: RunView) -> dict[str, float]:
        """The last value of each metric, the numbers of the result, and plausible@k of what was judged so far."""
        numbers = {name: value for name, value in run.result.items() if isinstance(value, int | float)}
        found = {**self._runs.last_metrics(run.id), **numbers}
        if run.kind in WITH_PATCHES:
            shares = self._patches.totals(run.id).plausible_at
            are = has_attempts(run.spec)
            found |= {at(k, attempts=are): share.hits / share.total for k, share in shares.items() if share.total}
        return {name: float(value) for name, value in found.items() if not isinstance(value, bool)}


def differing(specs: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Path of a setting -> its value in each spec, for those that are not the same in all, but for their names."""
    flat = [dict(_flat(spec)) for spec in specs]
    paths = dict.fromkeys(path for each in flat for path in each if path != "name")
    values = {path: tuple(each.get(path) for each in flat) for path in paths}
    return {path: of for path, of in values.items() if any(value != of[0] for value in of)}


def _flat(values: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found = []
    for name, value in values.items():
        # `trainer.name` is what `trainer` is set to
        path = above if name == "name" and above else f"{above}.{name}".lstrip(".")
        found += _flat(value, path) if isinstance(value, Mapping) else [(path, value)]
    return found


def _best(runs: Sequence[RunView], figures: Mapping[str, Sequence[float | None]], metric: str) -> int | None:
    """The best of the runs that are done; None if there is none, or only one run."""
    values = zip(runs, figures.get(metric, ()), strict=False)
    done = [(value, run.id) for run, value in values if value is not None and run.state == "done"]
    if len(runs) < 2 or not done:
        return None
    is_lower = any(word in metric for word in LOWER)
    return (min if is_lower else max)(done, key=lambda each: each[0])[1]
