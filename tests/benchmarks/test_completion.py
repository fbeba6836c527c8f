"""Line completion: what a model reads, when a line is exact, which of its tokens are right."""

from __future__ import annotations

import pytest
from line_completion import CONTENT, ROW, write

from engine.domain import Outcome, Patch, Verdict
from engine.errors import UserError
from engine.plugins import BENCHMARKS, REPRESENTATIONS

LEFT = REPRESENTATIONS.from_value("left_to_right")


@pytest.fixture
def made(tmp_path):
    return lambda *rows, **more: BENCHMARKS.from_value(
        {"name": "completion", "folder": str(write(tmp_path, *rows)), **more}
    )


def test_each_line_of_a_category_is_a_bug_once_and_blank_ones_are_none(made):
    benchmark = made()
    assert [(one.id, one.kind, one.language) for one in benchmark.entries()] == [
        ("completion/me__shop@01234567/src/total.py:6", "commited", "python"),
        ("completion/me__shop@01234567/src/total.py:5", "inproject", "python"),
        ("completion/me__shop@01234567/build.kts:1", "infile", ".kts"),
    ]
    assert list(benchmark.skipped().values()) == ["no syntax for .kts files; known: python, java, c"]
    bug = benchmark.bugs()[1]
    assert (bug.fixed, bug.fixed_lines, bug.buggy_lines) == (CONTENT, "    prices = shop.prices(cart)\n", "\n")


def test_the_prompt_is_the_project_the_nearest_file_last_and_the_file_up_to_the_line(made):
    head = "# src/total.py\nimport shop\n\n\ndef total(cart):\n"
    files = "# README.md\nA shop.\n\n# src/shop.py\ndef prices(cart): ...\n\n"
    assert LEFT.encode(made().bugs()[1]).prompt == f"# me__shop\n{files}{head}"
    assert LEFT.encode(made(context="none").bugs()[1]).prompt == f"# me__shop\n\n{head}"
    assert LEFT.encode(made(context_chars=5).bugs()[1]).prompt == f"# me__shop\n: ...\n\n{head}"


@pytest.mark.parametrize(
    ("answer", "outcome", "wrong"),
    [
        ("    prices = shop.prices(cart)\nand more", Outcome.PLAUSIBLE, 0),
        ("    prices = shop.prices(cart)  ", Outcome.PLAUSIBLE, 0),
        ("    prices = shop.costs(cart)", Outcome.TEST_FAILED, 1),
        ("    prices = 1", Outcome.TEST_FAILED, 6),
        ("    prices = shop.prices(cart", Outcome.COMPILE_ERROR, 1),
        ("", Outcome.TEST_FAILED, 8),
    ],
)
def test_a_line_is_exact_or_some_of_its_tokens_are_right(made, answer, outcome, wrong):
    benchmark = made()
    bug = benchmark.bugs()[1]
    verdict = benchmark.evaluate(bug, LEFT.decode(answer, bug), None)
    assert (verdict.outcome, max(0, len(verdict.failed) - 1)) == (outcome, wrong), verdict
    tokens = 8
    assert len(bug.failing) == tokens + 1
    figures = benchmark.figures({bug.id: verdict})["inproject"]
    assert figures == {
        "lines": 1, "exact_match": float(outcome is Outcome.PLAUSIBLE), "token_accuracy": (tokens - wrong) / tokens
    }  # fmt: skip


def test_a_file_that_is_changed_elsewhere_is_not_exact_and_no_patch_has_no_right_token(made):
    benchmark = made()
    bug = benchmark.bugs()[1]
    elsewhere = benchmark.evaluate(bug, Patch(bug.id, "import os\n" + CONTENT), None)
    assert elsewhere.outcome is not Outcome.PLAUSIBLE
    none = benchmark.evaluate(bug, Patch(bug.id, None, "empty"), None)
    assert (none.outcome, none.reason) == (Outcome.NO_PATCH, "empty")
    assert benchmark.figures({bug.id: none})["inproject"]["token_accuracy"] == 0
    assert benchmark.figures({bug.id: Verdict(Outcome.NOT_RUN)}) == {}


@pytest.mark.parametrize("change", [{"completion_lines": {"a": [99]}}, {"completion_file": {}}, {"repo_snapshot": {"filename": [], "content": [""]}}])  # fmt: skip
def test_a_row_of_another_kind_is_named(made, change):
    with pytest.raises(UserError, match="row 1 is no line completion"):
        made({**ROW, **change}).entries()
