"""Where a planned run would be: as its launcher's settings and its shards say, unless something else is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.launchers import HasPlaces
from engine.launchers.leading import places_of
from engine.launchers.priced import Priced
from engine.plan import Cluster
from engine.plugins import LAUNCHERS


def place_of(spec: Any, asked: Cluster) -> Cluster:
    """What is asked for, and the rest as the run itself would have it. Raises UserError for a device that is not here.

    Each shard has as many nodes as a job; those of one machine share it, a GPU for each.
    """
    shards = shards_of(spec)
    reserved = spec.launcher.machines() if isinstance(spec.launcher, Priced) else None
    launcher = LAUNCHERS.create(spec.launcher)
    at_once = len(places_of(launcher, spec)) if shards > 1 else 1
    nodes, gpus = 1, None
    if reserved:
        nodes, gpus = reserved[0] * at_once, reserved[1]
    elif isinstance(launcher, HasPlaces) and at_once > 1:
        gpus = at_once
    return replace(asked, nodes=asked.nodes or nodes, gpus=gpus if asked.gpus is None else asked.gpus)


def shards_of(spec: Any) -> int:
    """How many workers share the run."""
    return int(getattr(spec, "shards", 1))
