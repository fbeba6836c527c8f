"""A patch and the row of its bug, drawn from the values that the engine gives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.control.patches import BugRow, Detail
from studio.html import patch, patch_table

ROW = BugRow(
    bug_id="b/long", language="python", kind="off_by_one", cwe="", project="", skipped="", prompt_tokens=120,
    whole_tokens=None, known_fix="plausible", buggy_code="test_failed", cells=((1, "plausible"),), reviewers={},
    first_plausible=1, n_plausible=1,
)  # fmt: skip
PATCH = Detail(
    bug_id="b/long", path="a.py", kind="off_by_one", cwe="", start=1, end=1, buggy="x = 1\n", fixed="x = 2\n",
    source="model", rank=1, completion="x = 3\n", text="x = 3\n", score=None, same_as=None, outcome="plausible",
    reason="", log="", failed=(), duration_s=0.1, sandbox="", isolation="", stages={}, is_known_fix=False,
    is_known_tree=None, tokens_written=None, tokens_read=None,
)  # fmt: skip
SHORT = {"prompt_tokens": 498, "whole_tokens": 1730}


def test_a_prompt_as_it_is_has_no_word_about_its_length():
    assert "shortened" not in patch_table.table([ROW], 1, "") + patch.detail(PATCH)


def test_a_shortened_prompt_is_told_with_its_bug_and_its_patch():
    assert "prompt shortened from 1,730 to 498 tokens" in patch_table.table([replace(ROW, **SHORT)], 1, "")
    assert "<dt>prompt</dt><dd>shortened from 1,730 to 498 tokens</dd>" in patch.detail(replace(PATCH, **SHORT))


@pytest.mark.parametrize("source", ["known_fix", "buggy_code"])
def test_what_no_model_wrote_has_no_prompt(source):
    assert "shortened" not in patch.detail(replace(PATCH, source=source, rank=0, **SHORT))
