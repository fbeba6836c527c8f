"""Builds a dataset in parts, one after the other, from what a test gives to a builder."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_dataset import STARTER, read

from engine.domain import Bug, span_of_change
from engine.plugins import BENCHMARKS
from engine.run_inputs import Part
from engine.rundir import RunDir
from engine.specs import DatasetSpec
from engine.work.build import build


@pytest.fixture
def small_blocks(monkeypatch):
    """Some blocks of a few things for each shard, and batches that end elsewhere."""
    monkeypatch.setattr("engine.work.prepared.MOST", 3)
    monkeypatch.setattr("engine.work.rows.BATCH", 4)


@pytest.fixture
def in_parts(tmp_path):
    """Build in so many parts; `before_whole` is called with the run once all shards are done."""

    def built(settings, count, before_whole=lambda run: None):
        spec = DatasetSpec.model_validate({"name": "same", "exclude": (), **settings})
        number = len(list((tmp_path / "runs").glob("*"))) + 1
        run = RunDir.create(tmp_path / "runs" / str(number), spec.model_dump(mode="json"), STARTER)
        shards = [run.shard(number) for number in range(1, count + 1)] if count > 1 else []
        for number, shard in enumerate(shards, start=1):
            inputs = replace(STARTER, part=Part(number, count))
            RunDir.create(shard.path, run.spec(), inputs)
            build(spec, inputs, shard)
        before_whole(run)
        report = build(spec, STARTER, run, [shard.artifacts for shard in shards])
        return run, report

    return built


@pytest.fixture
def given(monkeypatch):
    """A builder of whatever a test gives it: an item, or why and where one was lost."""

    def of(makes, entries):
        class Given:
            name, read = "faults", 0

            def __init__(self):
                self.makes = makes

            def stream(self, seed, funnel):
                Given.read += 1
                for entry in entries:
                    funnel.source += 1
                    if isinstance(entry, tuple):
                        funnel.lose(*entry)
                    else:
                        funnel.count("kinds of item", type(entry).__name__)
                        yield entry
                funnel.facts["read"] = {"entries": len(entries)}
                funnel.lost["never told"] = 2

            def total(self):
                return len(entries)

        monkeypatch.setattr("engine.work.build.BUILDERS.create", lambda params: Given())
        return Given

    return of


def result(run, report):
    """All that a build says, but for the time that it took."""
    lists = {
        name: path.read_text()
        for name in ("left_out.jsonl", "overlap.jsonl", "missing.jsonl", "report.json", "README.md")
        if (path := run.artifacts / name).exists()
    }
    readme = lists["README.md"].replace(f"dataset-{run.path.name}", "")
    return {**lists, "README.md": readme}, {**report, "rates": None}, read(run, "train"), read(run, "valid")


def bugs():
    """Bugs of all sorts: equal, laid out otherwise, under other names, long, with a special token, named too long."""
    code = "def area{0}(width, height):\n    total = width - height + {0}\n    return total\n"
    for number in range(9):
        text = code.format(number)
        variants = [text, text.replace("    return", "    # the end\n    return"), text.replace("width", "w")]
        if number == 3:
            variants += [
                "def f():\n    return '<|fim_prefix|>' - 3\n",
                "def f():\n    x = 1 - 2\n" + "    x = 3\n" * 90,
            ]
        for at, each in enumerate(variants):
            fixed = each.replace("-", "*")
            name = {(4, 0): "b" * 1500, (3, 3): "b3.3 \ud800"}.get((number, at), f"b{number}.{at}")
            yield Bug(name, "python", "a.py", each, fixed, span_of_change(each, fixed), project=f"p{number % 4}")
        if number % 2:
            yield "nothing in it", f"row {number}"
    first = next(iter(BENCHMARKS.create(BENCHMARKS.params("pocket")).bugs()))
    yield replace(first, id="of a benchmark")
    yield replace(first, id="the same again")
    yield "broken", "row 99 (b0.0)"
