"""Tables of diffs: which files of a folder are looked at, and the ids of their rows."""

from __future__ import annotations

import pytest

from engine.builders import diff_tables, diffs
from engine.builders.diff_tables import entries
from engine.builders.diffs import Diffs
from engine.errors import UserError


def test_a_form_looks_at_few_entries_of_a_folder(tmp_path, monkeypatch):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "rows.jsonl").write_text('{"diff": "x"}\n')
    builder = Diffs(Diffs.Params(path=str(tmp_path)))
    assert list(builder.choices()["diff"]) == ["diff"]
    (inner / "rows.jsonl").rename(inner / "rows.txt")
    with pytest.raises(UserError, match="there is no .patch or .diff file and no table in"):
        builder.choices()
    for number in range(30):
        (tmp_path / f"{number}.txt").touch()
    monkeypatch.setattr("engine.builders.diffs.MOST_SEEN", 20)
    taken = []
    for module in (diffs, diff_tables):
        monkeypatch.setattr(module, "entries", lambda folder: (taken.append(each) or each for each in entries(folder)))
    assert list(builder.choices()["diff"]) == []
    assert 20 <= len(taken) <= 61, "nor is anything said of what may be further down"
