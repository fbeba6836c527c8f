"""The day of a fix, however a table writes it, and how it decides what is for evaluation."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from engine.builders.days import day_of

sys.path.append(str(Path(__file__).resolve().parents[1] / "work"))
from small_dataset import make  # noqa: F401


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2019-06-03", "2019-06-03"),
        (" 2019-06-03T23:30:00Z ", "2019-06-03"),
        ("2019-06-03 23:30:00-02:00", "2019-06-04"),
        ("1559599200", "2019-06-03"),
        (1559599200.5, "2019-06-03"),
        (date(2019, 6, 3), "2019-06-03"),
        (datetime(2019, 6, 3, 23, 30, tzinfo=timezone(timedelta(hours=-2))), "2019-06-04"),
        (datetime(2019, 6, 3, 23, 30), "2019-06-03"),
        *((cell, "") for cell in ("", "2019", "June", "1e400", "²", None, True, 2019, -1, 1e300, float("nan"), [1], "9" * 400)),
    ],
)  # fmt: skip
def test_a_day_is_read(cell, day):
    assert day_of(cell) == day


def test_the_newest_rows_of_a_table_are_for_evaluation(make, tmp_path):  # noqa: F811
    def row(number):
        code = f"def f{number}(a):\n    return a - {number}\n"
        day = {"commit_date": f"2020-01-{number + 1:02}T10:00:00Z"} if number else {}
        return {"buggy_function": code, "fixed_function": code.replace("-", "+"), "id": f"b{number}"} | day

    table = tmp_path / "table.jsonl"
    table.write_text("".join(json.dumps(row(number)) + "\n" for number in range(10)))
    builder = {"name": "columns", "file": str(table), "id": "id", "date": "commit_date"}
    _, report, train, valid = make(builder=builder, split="time", valid_fraction=0.2)
    assert [row["bug_id"] for row in valid] == ["b8", "b9"]
    assert {row["bug_id"]: row["date"] for row in train}["b1"] == "2020-01-02"
    assert report["undated"] == 1
