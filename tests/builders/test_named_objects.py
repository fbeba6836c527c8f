"""A .json file that is one object of objects, as the function files of Defects4J are, is a table with their names."""

from __future__ import annotations

import json

import pytest

from engine.builders import Funnel
from engine.builders.rows import columns_of, rows_of

# the fields of the files of single functions that Xia et al. (ICSE 2023) made of Defects4J; hand-made rows
FUNCTIONS = {
    "Chart-1": {"buggy": "int f() {\n    return 1;\n}\n", "start": 3, "end": 5, "fix": "int f() {\n    return 2;\n}\n"},
    "Lang-22": {"buggy": 'String g() {\n    return "}{";\n}\n', "fix": "x", "id": "its own"},
}


@pytest.mark.parametrize("indent", [None, 2], ids=["on one line", "on many lines"])
def test_the_members_of_an_object_are_rows_with_their_names(tmp_path, indent):
    file = tmp_path / "single_function_repair.json"
    file.write_text(json.dumps(FUNCTIONS, indent=indent))
    assert columns_of(file) == ["id", "buggy", "start", "end", "fix"]
    rows = [row.cells for row in rows_of(file, ["id", "buggy"], Funnel())]
    assert rows == [{"id": "Chart-1"} | FUNCTIONS["Chart-1"], FUNCTIONS["Lang-22"]]


def test_lines_of_objects_that_hold_objects_are_still_lines(tmp_path):
    file = tmp_path / "lines.json"
    file.write_text('{"cells": {"a": 1}, "x": 1}\n{"cells": {"a": 2}, "x": 2}\n')
    assert columns_of(file) == ["cells", "x"]
    file.write_text('{"cells": {"a": 1}, "x": 1}\n')
    assert columns_of(file) == ["cells", "x"]


def test_a_broken_member_is_counted_and_hides_no_other(tmp_path):
    file, funnel = tmp_path / "a.json", Funnel()
    file.write_text('{"a": {"x": 1},\n "b": {"x": },\n "c": 3,\n "d": {"x": 4}}')
    assert [row.cells for row in rows_of(file, ["x"], funnel)] == [{"id": "a", "x": 1}, {"id": "d", "x": 4}]
    assert (funnel.source, funnel.lost) == (4, {"not valid JSON": 1, "not a JSON object": 1})
