"""What a run would take on some nodes and cards, before it is started: from earlier runs like it, or from `bench`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.control.bench_files import Bench
from engine.control.datasets import Datasets
from engine.control.models import Models
from engine.control.plan_benchmark import BenchmarkPlans
from engine.control.plan_dataset import dataset_plan
from engine.control.plan_place import place_of
from engine.control.plan_train import train_plan
from engine.control.runs import Runs
from engine.errors import UserError
from engine.launchers.priced import HOUR_S, currency_of, is_priced, machine_price
from engine.plan import COST, GPU_HOURS, PLANNED, TIME, Cluster, Line, Plan
from engine.specs import BenchmarkSpec, DatasetSpec, Spec, TrainingSpec
from storage.database import Database


class Plans:
    """Plans of one home; nothing is started, and no model is loaded."""

    def __init__(self, runs: Runs, models: Models, datasets: Datasets, database: Database) -> None:
        self._runs, self._models, self._datasets = runs, models, datasets
        self._benchmarks = BenchmarkPlans(runs, models, database)

    def plan(self, spec: Spec, cluster: Cluster, bench: Sequence[Bench] = ()) -> Plan:
        """Raises UserError for a kind of run that is not planned, and for what the spec names and is not there."""
        if cluster.nodes < 0 or (cluster.gpus or 0) < 0 or (cluster.cores or 1) < 1:
            raise UserError(
                f"--nodes, --gpus and --cores: need at least 1, 0 and 1 (got {cluster.nodes}, {cluster.gpus}, "
                f"{cluster.cores})"
            )
        cluster = place_of(spec, cluster)
        if isinstance(spec, BenchmarkSpec):
            found = self._benchmarks.plan(spec, cluster, bench)
        elif isinstance(spec, TrainingSpec) and getattr(spec, "kind", "") == "train":
            found = train_plan(spec, cluster, bench, self._runs, self._models, self._datasets)
        elif isinstance(spec, DatasetSpec):
            found = dataset_plan(spec, cluster, self._runs)
        else:
            raise UserError(f"a {spec.title.lower()} is not planned; plan one of: {', '.join(PLANNED)}")
        return _priced(found, spec)


def _priced(plan: Plan, spec: Any) -> Plan:
    """With GPU-hours, and the price of all, below the time."""
    seconds = plan.seconds
    why = "" if seconds is not None else "the time is not known"
    hours = None if seconds is None else plan.cards * seconds / HOUR_S
    added = [Line(GPU_HOURS, hours, "h", why or f"{plan.cards} GPUs for all of the time")] if plan.cards else []
    tokens = plan.line(COST)  # of a service
    prices = [tokens.value] if tokens else []
    if is_priced(spec.launcher):
        prices.append(None if seconds is None else machine_price(spec.launcher, seconds, hours, plan.nodes))
    if prices:
        price = None if None in prices else sum(each for each in prices if each is not None)
        whose = {"the generator's": bool(tokens), "the launcher's": is_priced(spec.launcher)}
        of = f"{' and '.join(name for name, is_so in whose.items() if is_so)} prices"
        unit = currency_of(spec.launcher) or (tokens.unit if tokens else "")
        added.append(Line(COST, price, unit, of if price is not None else why or (tokens.source if tokens else "")))
    lines = [each for each in plan.lines if each.name != COST]
    at = next((place for place, each in enumerate(lines) if each.name == TIME), -1) + 1
    return Plan((*lines[:at], *added, *lines[at:]), plan.nodes, plan.cards, plan.serial_s, plan.notes, plan.first)
