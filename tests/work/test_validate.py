"""Patches of a file are tested like a model's: a row in, a row out; verdicts of elsewhere are taken over as they are."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from small_benchmark import Sandbox, bug

from engine.domain import Outcome, Verdict
from engine.errors import UserError
from engine.rundir import Inputs, RunDir
from engine.specs import ValidateSpec
from engine.work.validate import VERDICTS, validate

ADD = bug("add")
RIGHT, WRONG = "    return a + b\n", "    return a * b\n"


@pytest.fixture
def validated(small, tmp_path, monkeypatch):
    """Validate rows; returns the counts, the rows of verdicts, and what was said of bugs and patches."""
    monkeypatch.setattr("engine.work.validate.usable", lambda name: Sandbox())
    small.name = "small"

    def run(*rows, again=False, **settings):
        path = tmp_path / "patches.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        folder = RunDir.create(tmp_path / "run", {}, Inputs())
        counts = validate(ValidateSpec(file=str(path) if rows else "", **settings), Inputs(), folder)
        made = folder.artifacts / VERDICTS
        out = [json.loads(line) for line in made.read_text().splitlines()] if made.exists() else []
        said = {
            kind: [asdict(each.payload) for each in folder.events().events if each.kind == kind]
            for kind in ("bug", "patch")
        }
        return counts, out, said

    run.small = small
    return run


def test_each_row_has_its_verdict_in_the_order_of_the_file(validated):
    rows = [
        {"bug_id": "small/sum_of", "lines": WRONG, "rank": 2, "who": "me"},
        {"bug_id": "small/add", "function": f"def add(a, b):\n{RIGHT}"},
        {"bug_id": "small/nowhere", "file": ""},
        {"bug_id": "small/sum_of", "lines": RIGHT, "rank": 1},
        {"bug_id": "small/add", "patch": "nonsense"},
        {"bug_id": "small/add", "file": None},
        {"bug_id": "small/sum_of", "lines": WRONG, "rank": 3},
    ]
    counts, out, said = validated(*rows)
    assert [row["outcome"] for row in out] == [
        "test_failed", "plausible", "not_run", "plausible", "no_patch", "no_patch", "test_failed",
    ]  # fmt: skip
    assert [{key: row[key] for key in rows[i]} for i, row in enumerate(out)] == rows
    assert all({"bug_id", "outcome", "reason", "duration_s", "sandbox", "isolation"} <= row.keys() for row in out)
    assert out[2]["reason"] == "small has no bug called small/nowhere"
    assert [fields["id"] for fields in said["bug"]] == ["small/add", "small/sum_of"], "bugs without a row are left out"
    assert (counts["rows"], counts["bugs"], counts["scored"], counts["unknown_bugs"]) == (7, 2, 2, 1)
    assert (counts["plausible_at"], counts["counted_at"]) == ({"1": 2, "3": 2}, {"1": 2, "3": 2})
    ranks = {(fields["bug_id"], fields["rank"]): fields for fields in said["patch"] if fields["source"] == "model"}
    assert ranks["small/sum_of", 1]["text"] == bug("sum_of").fixed
    assert ranks["small/sum_of", 3]["same_as"] == 2


def test_a_bug_whose_tests_tell_nothing_is_set_aside_and_its_rows_are_not_run(validated, monkeypatch):
    evaluate = validated.small.evaluate

    def useless(bug, patch, sandbox):
        is_add = bug.id == "small/add"
        return Verdict(Outcome.PLAUSIBLE) if is_add else evaluate(bug, patch, sandbox)

    monkeypatch.setattr(validated.small, "evaluate", useless)
    counts, out, _ = validated({"bug_id": "small/add", "lines": WRONG}, {"bug_id": "small/sum_of", "lines": WRONG})
    assert [row["outcome"] for row in out] == ["not_run", "test_failed"]
    assert "the buggy code passes its tests here" in out[0]["reason"]
    assert (counts["scored"], counts["usable"], counts["control_failures"]) == (1, 1, 1)


def test_without_rows_a_benchmarks_own_bugs_are_checked(validated, monkeypatch):
    monkeypatch.setattr(validated.small, "skipped", lambda: {"small/long": "no compiler: install one"})
    counts, out, said = validated()
    assert (counts["bugs"], counts["usable"], out) == (3, 2, [])
    assert (counts["known_fix"], counts["buggy_code"]) == ({"plausible": 2}, {"test_failed": 2})
    assert counts["set_aside"] == {"small/long": "no compiler: install one"}
    assert {fields["source"] for fields in said["patch"]} == {"known_fix", "buggy_code"}


@pytest.mark.parametrize("keep_verdicts", [True, False])
def test_what_was_written_and_what_it_took_is_taken_over_where_a_row_tells_it(validated, keep_verdicts):
    told = {"completion": "as it was", "score": -1, "tokens_written": 12, "tokens_read": 0}
    other = {"completion": 7, "score": "good", "tokens_written": 1e9, "tokens_read": -3}  # of another meaning
    rows = [
        {"bug_id": "small/add", "lines": RIGHT, "outcome": "plausible", **fields}
        for fields in (told, other, {}, {"tokens_written": True, "score": 10**400, "tokens_read": 2**63})
    ]
    _, _, said = validated(*rows, keep_verdicts=keep_verdicts)
    names = ("completion", "score", "tokens_written", "tokens_read")
    found = [tuple(fields[name] for name in names) for fields in said["patch"] if fields["source"] == "model"]
    assert found == [("as it was", -1.0, 12, 0), *[(RIGHT, None, None, None)] * 3]


def test_a_killed_validation_goes_on_where_it_was(validated):
    rows = [{"bug_id": "small/add", "lines": WRONG}]
    _, first, _ = validated(*rows)
    validated.small.run.clear()
    _, again, _ = validated(*rows)
    assert (again, validated.small.run.total()) == (first, 0)


def test_verdicts_made_elsewhere_are_taken_over_and_nothing_is_run(validated):
    rows = [
        {"bug_id": "small/add", "lines": WRONG, "outcome": "plausible", "sandbox": "theirs 1", "failed": ["t"]},
        {"bug_id": "small/sum_of", "lines": RIGHT, "outcome": "timeout"},
    ]
    counts, out, said = validated(*rows, keep_verdicts=True)
    assert [(row["outcome"], row["sandbox"]) for row in out] == [("plausible", "theirs 1"), ("timeout", "")]
    assert (counts["plausible_at"], counts["is_imported"], validated.small.run.total()) == ({"1": 1}, True, 0)
    assert [fields["verdict"]["outcome"] for fields in said["patch"]] == ["plausible", "timeout"]


@pytest.mark.parametrize(
    ("row", "settings", "said"),
    [
        ({"bug_id": "pocket/gcd", "lines": ""}, {}, "no row is for a bug of small: 'pocket/gcd' is none.*small/add"),
        ({"bug_id": "small/add", "lines": ""}, {"keep_verdicts": True}, "line 1: this row has no verdict"),
        ({"bug_id": "small/add", "lines": "", "outcome": "fine"}, {"keep_verdicts": True}, "line 1: outcome: "),
    ],
)
def test_rows_for_another_benchmark_or_without_verdicts_are_named(validated, row, settings, said):
    with pytest.raises(UserError, match=said):
        validated(row, **settings)
