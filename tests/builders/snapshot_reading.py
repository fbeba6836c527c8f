"""Reads all samples of project snapshots, and checks that each file read is accounted for."""

from __future__ import annotations

from engine.assets import STARTER_MODEL
from engine.builders import Funnel
from engine.builders.snapshots import Snapshots


def read(path, seed=0, most=None, **settings):
    builder = Snapshots(Snapshots.Params(path=str(path), **{"context_tokens": 0} | settings))
    builder.check()
    if most:
        builder.measure_with(STARTER_MODEL, most)
    funnel = Funnel()
    samples = [*builder.stream(seed, funnel)]
    assert funnel.source == len(samples) + sum(funnel.lost.values()), funnel.lost
    return samples, funnel


def text_of(sample):
    return "".join(each.text for each in sample.segments)
