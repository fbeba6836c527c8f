"""The elements of a JSON list are read one at a time, whatever is in them and wherever a chunk of the file ends."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tables import read

from engine.builders import records
from engine.builders.records import elements_within, is_array

ANY = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
ROW = {"input": 'a "quoted" [text], \\ and {more', "output": "b"}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("lists") / "x.json"


@given(st.lists(ANY), st.integers(1, 9), st.sampled_from([None, 2]), st.booleans())
def test_every_list_is_read_back(path, values, chunk, indent, is_ascii):
    path.write_text(json.dumps(values, indent=indent, ensure_ascii=is_ascii), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(records, "_CHUNK", chunk)
        found = [(number, json.loads(each.decode())) for number, each in elements_within(path, 1 << 20)]
    assert found == [*enumerate(values, 1)]


def test_elements_that_are_too_long_or_broken_do_not_hide_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.builders.rows.LONGEST", 100)
    monkeypatch.setattr(records, "_CHUNK", 64)
    row = json.dumps(ROW)
    long = json.dumps({**ROW, "output": "[" * 5000})
    path = tmp_path / "x.json"
    path.write_text(f'\n [{row}, {long},\n{row}, {{"input": }}, 3, {"[" * 9}{"]" * 9},\n{row}, {row[:20]}')
    assert is_array(path)
    made, funnel = read("texts", path)
    assert [each.bug_id for each in made] == ["x:1", "x:3", "x:7"]
    assert [each.prompt for each in made] == [ROW["input"]] * 3
    assert funnel.lost == {"rows longer than 4 MiB": 1, "not valid JSON": 2, "not a JSON object": 2}
    assert funnel.examples["not valid JSON"] == "element 4"
    assert funnel.source == 8


def test_of_a_list_of_any_depth_nothing_is_read_but_its_reason(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(f"[{json.dumps(ROW)}, {'[' * 200_000}")
    made, funnel = read("texts", path)
    assert (len(made), funnel.lost) == (1, {"not valid JSON": 1})
