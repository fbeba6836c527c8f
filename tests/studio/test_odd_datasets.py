"""Whatever a dataset's files hold by now, the page shows a sample or says in a sentence which file is wrong."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

import numpy
import pyarrow
import pytest
from filled import fill
from pyarrow import parquet

from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.rundir import Inputs, RunDir
from studio.app import create_app
from studio.checked import cleaned


@pytest.fixture
def workspace(home):
    fill(home)
    opened = Workspace(home)
    yield opened
    opened.close()


@pytest.fixture
def file(workspace):
    return Path(workspace.datasets.get("stdlib-faults").folder) / "train.parquet"


def text_columns(table):
    return [name for name in table.column_names if table.schema.field(name).type == pyarrow.string()]


def changed(table, **columns):
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, values)
    return table


TEXT_TYPES = {
    "large": lambda column: column.cast(pyarrow.large_string()),
    "dictionary": lambda column: column.dictionary_encode(),
    "plain": lambda column: column,
}


@pytest.mark.parametrize("cast", TEXT_TYPES.values(), ids=TEXT_TYPES)
def test_texts_of_any_type_are_shown_and_searched(workspace, file, cast):
    table = parquet.read_table(file)
    parquet.write_table(changed(table, **{name: cast(table[name]) for name in text_columns(table)}), file)
    assert workspace.datasets.sample("stdlib-faults").bug_id == table["bug_id"][0].as_py()
    found = workspace.datasets.sample("stdlib-faults", search="LUHN")
    assert ("luhn" in found.bug_id, found.total) == (True, 1)
    assert workspace.datasets.sample("stdlib-faults", search="not there") is None


def nulls(table):
    return pyarrow.table({name: pyarrow.nulls(5, table.schema.field(name).type) for name in table.column_names})


def numbers(table):
    return pyarrow.table({name: [1, 2, 3] for name in table.column_names})


def of_lists(name, values):
    return lambda table: changed(
        table.slice(0, 3), **{name: pyarrow.array([values] * 3, pyarrow.list_(pyarrow.int32()))}
    )


ODD_TABLES = {
    "columns missing": lambda table: table.select(["bug_id", "kind"]),
    "nulls": nulls,
    "numbers": numbers,
    "tokens below zero": of_lists("input_ids", [-1, 5]),
    "odd learned": lambda table: table.append_column("learned", pyarrow.array([[1, 2, 3]] * len(table))),
}


@pytest.mark.parametrize("odd", ODD_TABLES.values(), ids=ODD_TABLES)
def test_an_odd_table_is_a_sentence_with_its_name(workspace, file, odd):
    parquet.write_table(odd(parquet.read_table(file)), file)
    with pytest.raises(UserError, match=str(file.parent)):
        workspace.datasets.sample("stdlib-faults")


def rubbish(path):
    path.write_bytes(os.urandom(5000))


def cut(path):
    path.write_bytes(path.read_bytes()[:-500])


def flipped(path):
    content = bytearray(path.read_bytes())
    for place in range(40, len(content) // 2, 97):
        content[place] ^= 0xFF
    path.write_bytes(content)


def pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("damage", [rubbish, cut, flipped, pipe, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_file_is_a_sentence_with_its_name(workspace, file, damage):
    damage(file)
    with pytest.raises((UserError, OSError), match="train.parquet"):
        workspace.datasets.sample("stdlib-faults")


def test_a_broken_tokenizer_is_named(workspace, file):
    (file.parent / "tokenizer" / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match="tokenizer"):
        workspace.datasets.sample("stdlib-faults")


def test_a_small_file_that_holds_gigabytes_stays_small(workspace, file):
    rows = 400_000
    table = parquet.read_table(file).slice(0, 1)
    one = pyarrow.array(numpy.zeros(rows, dtype=numpy.int32))
    columns = {name: table[name].combine_chunks().take(one) for name in table.column_names if name not in ("prompt",)}
    columns["prompt"] = pyarrow.DictionaryArray.from_arrays(one, pyarrow.array(["x" * 5000]))
    parquet.write_table(pyarrow.table(columns), file, row_group_size=rows, compression="zstd", store_schema=False)
    assert file.stat().st_size < 2 << 20
    del columns, one
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match=r"in one group of rows; write the file in groups of 4,000 rows"):
        workspace.datasets.sample("stdlib-faults")
    parquet.write_table(
        pyarrow.table({name: ["x"] * 9 for name in ("bug_id", "kind", "target", "buggy", "fixed")}
                      | {"prompt": ["x" * 5000] * 9, "input_ids": [[1]] * 9, "n_prompt": [1] * 9}), file,
        column_encoding={"prompt": "DELTA_BYTE_ARRAY"}, use_dictionary=False,
    )  # fmt: skip
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10 < 200


def test_a_file_of_many_columns_is_a_sentence(workspace, tmp_path):
    for name, text in {"c.csv": ",".join(f"c{n}" for n in range(20_000)) + "\n" + ",".join("1" * 20_000) + "\n",
                       "c.jsonl": json.dumps({f"c{n}": 1 for n in range(20_000)}) + "\n"}.items():  # fmt: skip
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(UserError, match=r"has 20,000 columns; leave out those not needed, down to 1,000"):
            workspace.datasets.preview(str(path), 3)


def test_of_many_metrics_a_few_are_kept_and_a_page_reads_those_that_it_draws(workspace, tmp_path, monkeypatch):
    folder = RunDir.create(tmp_path / "wide", {"kind": "train", "dataset": "d", "name": "wide"}, Inputs())
    folder.append("metric", step=1, values={"loss": 1.0})
    for event in range(5):
        folder.append("metric", step=1, values={f"m{event}_{n}": 1.0 for n in range(1000)})
    folder.append("metric", step=2, values={"loss": 2.0, "x" * 201: 1.0})
    folder.append("metric", step=3, values={"loss": 3.0})
    number = workspace.take_in(folder.path)
    assert len(workspace.runs.last_metrics(number)) == 200
    assert [step for step, _, _ in workspace.runs.metrics(number)["loss"]] == [1, 3], "a name of 201 letters is refused"
    read = []
    from storage import curves

    curve = curves.curve
    monkeypatch.setattr(
        curves, "curve", lambda session, run, name, *rest: read.append(name) or curve(session, run, name, *rest)
    )
    page = create_app(workspace).pages["monitor"]
    values = [cleaned(field, field.value) for field in page.inputs]
    chosen = [number if value == 0 else value for value in values]
    page.look(None, chosen)
    assert read == ["loss"]


def test_endless_ids_are_refused_and_endless_sentences_cut(workspace, tmp_path):
    long = "A" * (5 << 20)
    folder = RunDir.create(tmp_path / "long", {"kind": "benchmark"}, Inputs())
    bug = {"language": "python", "path": "a", "start": 1, "end": 1, "buggy": "a", "fixed": "b"}
    folder.append("bug", id=long, **bug)
    folder.append("bug", id="b", kind=long, **bug)
    folder.append("patch", bug_id=long, source="model", rank=1, verdict={"outcome": "plausible"})
    folder.append("bug", id="short", skipped=long, **bug)
    folder.append("state", state="failed", error=long)
    run = workspace.runs.row(workspace.take_in(folder.path))
    assert (run.state, run.broken_lines, len(run.error)) == ("failed", 3, 10_000)
    rows, total = workspace.patches.page(run.id)
    assert (total, rows[0].bug_id, len(rows[0].skipped)) == (1, "short", 10_000)
