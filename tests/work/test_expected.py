"""Ids that somebody expects in a dataset: those that are in it are found, whatever became of other rows like them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_dataset import bug

from engine import results
from engine.listed import OTHERS
from engine.work.expected import Expected


@pytest.fixture
def expected(tmp_path):
    def of(*ids, mark=""):
        file = tmp_path / "ids.txt"
        file.write_text(mark + "".join(f"{each}\n" for each in ids), encoding="utf-8")
        return str(file)

    return of


def test_an_id_in_the_dataset_is_found_though_another_row_with_it_was_left_out(build_of, expected, monkeypatch):
    monkeypatch.setattr("engine.work.rows.BATCH", 1)  # so that the first is kept before the last is read
    bugs = [*map(bug, range(1, 6)), replace(bug(1), kind="again")]
    _, report, train, _ = build_of(*bugs, expected=expected("b1", "b2"), valid_fraction=0)
    assert [step["reason"] for step in report["funnel"]["steps"]] == ["duplicate"]
    assert report["expected"] == {"wanted": 2, "found": 2, "missing": {}}


def test_what_is_kept_stays_found(expected, tmp_path):
    ids = Expected(expected("Lang-1", "Lang-2"))
    ids.keep("Lang-1")
    ids.lose("commit 3 (Lang-1, Lang-2)", "too many functions")
    assert ids.report(tmp_path) == {"wanted": 2, "found": 1, "missing": {"too many functions": 1}}


def test_an_id_that_the_last_division_loses_is_missing(build_of, expected):
    bugs = [bug(n, "2020-01-01" if n < 8 else "2021-01-01") for n in range(12)]
    every = expected(*(each.id for each in bugs))
    _, report, train, valid = build_of(*bugs, split="time", valid_rows=1, expected=every)
    assert (len(train), len(valid)) == (8, 1)
    missing = {"more than 1 evaluation samples": 3}
    assert report["expected"] == {"wanted": 12, "found": 9, "missing": missing}


def test_a_byte_order_mark_is_no_part_of_the_first_id(build_of, expected):
    _, report, _, _ = build_of(bug(1), bug(2), expected=expected("b1", mark="\ufeff"), valid_fraction=0)
    assert report["expected"]["found"] == 1


def test_a_report_has_no_more_reasons_than_a_page_can_show(expected, tmp_path):
    ids = Expected(expected(*range(1500)))
    for number in range(1500):
        ids.lose(str(number), f"reason {number // 2 if number < 100 else number} {'x' * 3000}")
    missing = ids.report(tmp_path)["missing"]
    assert (len(missing), sum(missing.values()), missing[OTHERS]) == (201, 1500, 1250)
    read = results.read("dataset", {"rows": {"train": 1, "valid": 0}, "expected": ids.report(tmp_path)})
    assert read.expected.missing == missing
