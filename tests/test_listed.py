"""Lists of rows beside a dataset are bounded for each reason, and read a few at a time, also where they are damaged."""

from __future__ import annotations

import json
import os

import pytest

from engine import listed as lists
from engine.listed import Listing, listed


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "left_out.jsonl"
    with Listing(path) as listing:
        for number in range(120):
            listing.add("too long" if number % 3 else "a duplicate", bug_id=f"Lang-{number}", n_tokens=number)
    return path


def test_the_rows_of_one_reason_are_read_in_part(path):
    found = listed(path, "a duplicate", start=10, count=5)
    assert found.total == 40
    assert [row["bug_id"] for row in found.rows] == [f"Lang-{number}" for number in (30, 33, 36, 39, 42)]
    assert listed(path).total == 120
    assert [row["bug_id"] for row in listed(path, "too long", "lang-118").rows] == ["Lang-118"]
    assert listed(path, "duplicate") == lists.Listed((), 0)
    assert (listed(path, start=500).rows, listed(path, start=500).total) == ((), 120)


def test_no_reason_has_more_rows_than_the_limit_and_the_others_have_theirs(tmp_path, monkeypatch):
    monkeypatch.setattr(lists, "MOST", 3)
    path = tmp_path / "x.jsonl"
    with Listing(path) as listing:
        for number in range(10):
            listing.add("many", where=str(number))
        listing.add("few", where="x" * 1000)
    assert listing.counts == {"many": 10, "few": 1}
    assert [row["where"] for row in listed(path, "many").rows] == ["0", "1", "2"]
    assert listed(path, "few").rows[0]["where"] == "x" * lists.LONGEST


def test_damaged_lines_are_passed_over_and_only_a_regular_file_is_read(path, tmp_path):
    with path.open("ab") as file:
        file.write(b"broken\n[1]\n" + b"x" * (lists.LINE_BYTES * 3) + b"\n")
        file.write(json.dumps({"reason": "late", "bug_id": "y"}).encode())
    assert listed(path).total == 121
    assert listed(path, "late").total == 1
    assert listed(tmp_path / "none").total == 0
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        listed(tmp_path / "pipe")
