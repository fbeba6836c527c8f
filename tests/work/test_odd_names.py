"""Builds of sources whose files have odd names."""

from __future__ import annotations

import os

from engine import results
from engine.listed import LEFT_OUT, listed


def test_the_name_of_a_file_that_is_no_unicode_ends_no_build(make, tmp_path):
    folder = tmp_path / "patches"
    folder.mkdir()
    fix = "--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n def f(a):\n-    return a - 1\n+    return a + 1\n x = 1\n"
    (folder / "a.patch").write_text(fix)
    (folder / os.fsdecode(b"b\xff.patch")).write_text(fix)
    run, report, train, _ = make(builder={"name": "diffs", "path": str(folder)}, valid_fraction=0)
    assert len(train) == 1
    (step,) = results.read("dataset", report).funnel.steps
    assert (step.reason, step.example) == ("the file's name is not UTF-8", "b?")
    (lost,) = listed(run.artifacts / LEFT_OUT).rows
    assert lost["where"] == "b?"
