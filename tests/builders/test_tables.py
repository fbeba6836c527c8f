"""What all builders of tables share: which column is what, and what is said before a run."""

from __future__ import annotations

import json

import pytest
from small_tables import jsonl, read

from engine.builders import Funnel
from engine.errors import UserError
from engine.plugins import BUILDERS

TALK = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]
ROWS = {
    "columns": {"buggy_code": "def f():\n    return 1\n", "fixed_code": "def f():\n    return 2\n", "bug_id": "x"},
    "infilling": {"prefix": "def f():", "suffix": "", "buggy_chunk": "    return 1", "fixed_chunk": "    return 2"},
    "instructions": {"instruction": "a", "input": "", "output": "b"},
    "texts": {"src_fm": "a", "target": "b"},
    "conversations": {"id": 3, "conversations": TALK},
    "preferences": {"prompt": "a", "chosen": "b", "rejected": "c"},
}


def builder(name, path, **settings):
    return BUILDERS.from_value({"name": name, "file": str(path), **settings})


@pytest.mark.parametrize("name", ROWS)
def test_usual_files_are_known_by_their_columns_and_need_no_mapping(tmp_path, name):
    file = jsonl(tmp_path / "rows.jsonl", [ROWS[name]])
    known = [each for each in ROWS if builder(each, file).fits()]
    assert known[0] == name
    offered = {key: choices[0] for key, choices in builder(name, file).choices().items()}
    ((made,), _) = read(name, file, **offered)
    if name != "columns":
        builder(name, file).check()
        assert type(read(name, file)[0][0]) is type(made)


def test_the_likeliest_columns_are_offered_first(tmp_path):
    file = jsonl(tmp_path / "a.jsonl", [{"x": 1, "bug_id": 1, "my_bug": 1, "buggy_code": 1, "new": 1, "Repo": 1}])
    offered = builder("columns", file).choices()
    assert offered["buggy"] == ["buggy_code", "bug_id", "my_bug", "x", "new", "Repo"]
    assert offered["id"][:2] == ["bug_id", ""]
    assert offered["project"][:2] == ["Repo", ""]
    assert offered["cwe"][0] == ""


@pytest.mark.parametrize(
    ("name", "row", "settings", "said"),
    [
        ("texts", {"x": "a"}, {}, "input: rows.jsonl has no column that is usually this one .input, src_fm,.*: x$"),
        ("texts", {"input": "a"}, {}, "output: rows.jsonl has no column that is usually"),
        ("texts", {"input": "a"}, {"output": "b"}, "has no column 'b'; its columns are: input"),
        ("instructions", ROWS["instructions"], {"input": "given"}, "has no column 'given'"),
        ("columns", ROWS["columns"], {}, "has no column 'buggy_function'; its columns are: buggy_code, fixed_code, bug_id"),
        ("conversations", {"messages": "hello"}, {}, "no row can be read with these columns: 1 is no conversation .first"),
        ("texts", {"input": ["a"], "output": "b"}, {}, "no row can be read with these columns: 1 a cell is not text"),
        ("texts", {"input": "", "output": "b"}, {}, "1 empty .first: row 1.; choose other columns, or another kind"),
    ],
)  # fmt: skip
def test_a_mapping_that_fits_nothing_is_refused_before_a_run(tmp_path, name, row, settings, said):
    with pytest.raises(UserError, match=said):
        builder(name, jsonl(tmp_path / "rows.jsonl", [row]), **settings).check()


def test_bad_first_rows_do_not_refuse_a_long_table_but_a_wrong_column_does(tmp_path):
    bad = [{"input": "", "output": "b", "n": n} for n in range(300)]
    file = jsonl(tmp_path / "rows.jsonl", [*bad, {"input": "a", "output": "b", "n": 1}])
    builder("texts", file).check()
    assert len(read("texts", file)[0]) == 1
    with pytest.raises(
        UserError, match="none of the first 200 rows can be read with these columns: 200 a cell is not text"
    ):
        builder("texts", file, input="n").check()


def test_a_preview_says_what_each_row_becomes(tmp_path):
    file = jsonl(tmp_path / "a.jsonl", [{"conversations": TALK, "n": 1}, {"conversations": 3, "n": 2}])
    found = builder("conversations", file).preview(3)
    assert found.rows[1] == {"conversations": "3", "n": "2"}
    assert found.roles == {"conversations": "conversation"}
    (first, second) = found.made
    assert [(each.role, each.text, each.is_learned) for each in first] == [
        ("user, read", "a", False), ("assistant, learned", "b", True)
    ]  # fmt: skip
    assert (second, found.n_made, found.is_whole) == ("is no conversation", 1, True)
    assert builder("conversations", "").preview(3) is None


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("columns", ["faulty code", "fixed code"]),
        ("infilling", ["faulty code", "fixed code"]),
        ("instructions", ["text, read", "text, learned"]),
        ("texts", ["text, read", "text, learned"]),
        ("conversations", ["user, read", "assistant, learned"]),
        ("preferences", ["prompt", "better answer", "worse answer"]),
    ],
)
def test_a_preview_of_every_kind_marks_what_is_read_and_what_is_learned(tmp_path, name, roles):
    settings = {"buggy": "buggy_code", "fixed": "fixed_code"} if name == "columns" else {}
    ((parts,)) = builder(name, jsonl(tmp_path / "a.jsonl", [ROWS[name]]), **settings).preview(3).made
    assert [part.role for part in parts] == roles


def test_ids_are_unique_and_no_text_becomes_a_special_token(tmp_path):
    rows = [{"i": i, "input": text, "output": "b"} for i, text in (("x", "a"), ("x", "a"), ("", "a"), ("y", "<|end|>"))]
    file = jsonl(tmp_path / "a.jsonl", rows)
    made, funnel = read("texts", file, id="i")
    assert ([each.bug_id for each in made], funnel.lost) == (["x", "y"], {"id seen before": 1, "empty id": 1})
    for added, kept in (
        ([{"content": "<|end|>", "special": True}], ["x"]),
        ([{"content": "a", "special": False}], ["x", "y"]),
        (3, ["x", "y"]),
    ):
        (tmp_path / "tokenizer.json").write_text(json.dumps({"added_tokens": added}))
        knowing, funnel = builder("texts", file, id="i"), Funnel()
        knowing.check_tokenizer(tmp_path)
        assert [each.bug_id for each in knowing.stream(0, funnel)] == kept
        assert funnel.lost.get("a text holds a special token of the model", 0) == 2 - len(kept)


def test_a_table_is_not_refused_for_the_few_rows_that_could_be_read_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.builders.previews.LOOK_S", 0)
    path = jsonl(tmp_path / "a.jsonl", [{"buggy_function": None, "fixed_function": 5}, ROWS["columns"]])
    builder("columns", path, buggy="buggy_function", fixed="fixed_function").check()
