"""Tables of diffs: which files of a folder are looked at, and the ids of their rows."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from engine.builders import Funnel, diff_tables, diffs
from engine.builders.diff_tables import entries, names_of
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


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/one.csv", "a/two.csv"], ["one", "two"]),
        (["a/rows.csv", "b/rows.csv", "b/other.csv"], ["a/rows", "b/rows", "other"]),
        (["a/x/rows.csv", "b/x/rows.csv", "b/y/rows.csv"], ["a/x/rows.csv", "b/x/rows.csv", "y/rows"]),
        (["a/rows.csv", "a/rows.CSV"], ["rows.csv", "rows.CSV"]),
    ],
)
def test_no_two_tables_have_one_name(paths, names):
    assert names_of([Path("/data", path) for path in paths]) == names


def test_no_two_files_give_one_id(tmp_path):
    fix = "--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n def f(a):\n-    return a - 1\n+    return a + 1\n x = 1\n"
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name in ("x.patch.diff", "x.diff", "x.patch", "a/L/patches/1.src.patch", "b/L/patches/1.src.patch"):
            entry = tarfile.TarInfo(name)
            entry.size = len(fix)
            archive.addfile(entry, io.BytesIO(fix.encode()))
    ids = [bug.id for bug in Diffs(Diffs.Params(path=str(tmp_path / "a.tar"))).stream(0, Funnel())]
    assert ids == ["x.patch", "x", "x.patch:2", "L-1", "b/L/patches/1.src.patch"]
