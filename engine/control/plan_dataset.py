"""The plan of a dataset build: as many rows of its source at the speed of an earlier build like it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.control.measured import launcher_of, measured
from engine.control.runs import Runs
from engine.plan import DISK, TIME, Cluster, Line, Plan
from engine.plugins import BUILDERS
from engine.spec_files import changed
from engine.specs import DatasetSpec

HOW_MANY = "samples"  # the setting of a builder that says how many it makes
FEW = 100  # of them in a short run


def dataset_plan(spec: DatasetSpec, cluster: Cluster, runs: Runs) -> Plan:
    """Of a build by one process; what shards save is not known. Raises UserError where its source is not there."""
    values = spec.model_dump(mode="json")
    one = measured(runs, "dataset", _like, values, "read")
    total = BUILDERS.create(spec.builder).total()
    if total is None and one and one.run.spec.get("builder") == values["builder"]:
        total = int(one.rates["read"])  # of the same source
    alone = (
        ("this is a build by one process; shards=N shares what follows the reading of its source",)
        if cluster.nodes > 1
        else ()
    )
    if one is None or total is None:
        why = "no build like it is done here" if one is None else "how many rows its source has is not known"
        few = [f"builder.{HOW_MANY}={FEW}"] if HOW_MANY in type(spec.builder).model_fields else []
        first = runs.command(changed(spec, [*few, 'name=""']))
        return Plan((Line(TIME, None, "s", why),), cluster.nodes, 0, None, alone, first)
    start, times = max(0.0, one.seconds - one.rates["reading"]), total / one.rates["read"]
    source = one.said(
        f"{one.rates['read'] / max(one.rates['reading'], 1e-9):,.0f} rows/s, after {start:,.1f} s to start"
    )
    seconds = start + one.rates["reading"] * times
    lines = (
        Line(TIME, seconds, "s", source),
        Line("rows of its source", float(total), "rows", _counted(spec)),
        Line(DISK, one.bytes * times, "bytes", one.said("its files")),
    )
    return Plan(lines, cluster.nodes, 0, seconds, alone)


def _counted(spec: DatasetSpec) -> str:
    return f"at most, as the builder {spec.builder.name} counts them"


def _like(spec: Mapping[str, Any]) -> object:
    """What has to be the same for a row to take as long: all but how many there are, and the name."""
    builder = {name: value for name, value in (spec.get("builder") or {}).items() if name != HOW_MANY}
    names = ("representation", "model", "max_tokens", "duplicates", "exclude", "compare")
    return [builder, *(spec.get(name) for name in names), launcher_of(spec)]
