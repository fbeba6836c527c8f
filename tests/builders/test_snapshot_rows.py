"""Rows of Long Code Arena become samples as its benchmark reads them; broken ones are counted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from engine.benchmarks.completion import Completion
from engine.builders.composing.categories import CATEGORIES
from engine.builders.snapshots import LEAKS
from engine.errors import UserError

sys.path += [str(Path(__file__).resolve().parents[1] / name) for name in ("builders", "benchmarks")]
from line_completion import CONTENT, OTHER, ROW, write
from snapshot_reading import read, text_of

LEAK = {**ROW, "repo_snapshot": {"filename": ["a.py", "src/total.py"], "content": ["x = 1\n", CONTENT]}}


def as_parquet(folder, *rows):
    import pyarrow as pa
    from pyarrow import parquet

    pairs = pa.struct([("filename", pa.string()), ("content", pa.string())])
    lists = pa.struct([("filename", pa.list_(pa.string())), ("content", pa.list_(pa.string()))])
    kinds = pa.struct([(kind, pa.list_(pa.int64())) for kind in CATEGORIES])
    types = {"completion_file": pairs, "repo_snapshot": lists, "completion_lines": kinds}
    columns = {name: pa.array([row[name] for row in rows], types.get(name, pa.string())) for name in ROW}
    parquet.write_table(pa.table(columns), folder / "rows.parquet")
    return folder / "rows.parquet"


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_rows_of_long_code_arena_agree_with_its_benchmark(tmp_path, form):
    path = as_parquet(tmp_path, ROW, OTHER) if form == "parquet" else write(tmp_path) / "completion.jsonl"
    samples, _ = read(path)
    assert [each.bug_id for each in samples] == ["me__shop@01234567/src/total.py", "me__shop@01234567/build.kts"]
    lines = text_of(samples[0]).split("\n")
    found = {kind: [lines[number].strip() for number in numbers] for kind, numbers in samples[0].lines}
    assert found == {
        "commited": ["return sum(prices)"],
        "inproject": ["prices = shop.prices(cart)"],
        "random": ["import shop", "def total(cart):"],
    }, "a blank line is in none, and a line of none is random"
    write(tmp_path, {**ROW, "repo_snapshot": {name: each[::-1] for name, each in ROW["repo_snapshot"].items()}})
    (sample,) = read(tmp_path / "completion.jsonl")[0]
    benchmark = Completion(Completion.Params(folder=str(tmp_path)))
    for bug in benchmark.bugs():
        number = next(
            number for number, line in enumerate(text_of(sample).split("\n")) if line == bug.fixed_lines.rstrip("\n")
        )
        assert bug.task.prompt == "".join(line + "\n" for line in text_of(sample).split("\n")[:number])
        assert number in dict(sample.lines).get(bug.kind, ()), bug.kind


def test_a_snapshot_that_holds_its_completion_file_is_counted_and_does_not_leak(tmp_path):
    write(tmp_path, LEAK)
    (sample,), funnel = read(tmp_path / "completion.jsonl")
    assert text_of(sample).count("def total") == 1
    assert funnel.counts[LEAKS] == {"left out of the context": 1}


def test_broken_rows_are_counted(tmp_path):
    path = tmp_path / "rows.jsonl"
    broken = [
        "words", "[]", "{}", "null", json.dumps({**ROW, "completion_lines": {"random": [99]}}),
        json.dumps({**ROW, "repo": 3}), json.dumps({**ROW, "repo": "\ud800"}),
        json.dumps({**ROW, "repo_snapshot": {"filename": ["a"], "content": []}}), "[" * 100_000,
    ]  # fmt: skip
    path.write_text("\n".join([json.dumps(ROW), *broken, "", json.dumps({**ROW, "completion_lines": None})]))
    with path.open("ab") as file:
        file.write(b"\n\xff\n")
    samples, funnel = read(path)
    assert len(samples) == 2
    assert funnel.lost == {"is no JSON in UTF-8": 3, "is no row of Long Code Arena": 6, "is not Unicode": 1}
    path.write_text("{}\n")
    with pytest.raises(UserError, match="holds no row of Long Code Arena"):
        read(path)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="is not a readable Parquet file"):
        read(tmp_path / "x.parquet")


def test_rows_of_a_repository_are_capped(tmp_path):
    write(tmp_path, ROW, ROW, OTHER, {**ROW, "repo": "you__shop"})
    samples, funnel = read(tmp_path / "completion.jsonl", per_repository=1)
    assert [each.project for each in samples] == ["me__shop", "you__shop"]
    assert funnel.lost == {"more than 1 samples of its repository": 2}
