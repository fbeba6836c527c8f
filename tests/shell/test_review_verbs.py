"""`repair-studio review` and `reviews` on a home that has been used."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.control.workspace import Workspace
from engine.shell.cli import app

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "studio"))
from filled import fill

RUN = "4"  # a benchmark run of a filled home
ODD = "\x1b]0;owned\x07<b>[red]"


@pytest.fixture
def shell(home):
    fill(home)
    return lambda *words: CliRunner().invoke(app, [*words, "--home", str(home)], env={"COLUMNS": "200"})


@pytest.fixture
def plausible(shell, home):
    """(bug id, rank) of every plausible candidate of the run, in the order of the table."""
    workspace = Workspace(home)
    rows, _ = workspace.patches.page(int(RUN))
    workspace.close()
    return [(row.bug_id, str(rank)) for row in rows for rank, outcome in row.cells if outcome == "plausible"]


def test_reviews_are_given_and_shown(shell, plausible):
    one, other = plausible[:2]
    for place, verdict, reviewer in ((one, "correct", "ada"), (one, "correct", "bob"), (other, "unsure", "ada")):
        done = shell("review", RUN, *place, "--verdict", verdict, "--reviewer", reviewer, "--note", f"{reviewer} says")
        assert (done.exit_code, done.stderr) == (0, "")
    shell("review", RUN, *other, "--verdict", "incorrect", "--reviewer", "bob")
    found = json.loads(shell("reviews", RUN, "--json").stdout)
    assert {name: found[name] for name in ("run", "reviewed", "correct", "correct_bugs")} == {
        "run": 4, "reviewed": 2, "correct": 1, "correct_bugs": 1,
    }  # fmt: skip
    assert found["plausible"] >= 2
    assert found["agreements"] == [{"first": "ada", "second": "bob", "both": 2, "same": 1, "kappa": 1 / 3}]
    first = found["reviews"][0]
    assert first.pop("at") > 0
    assert first == {
        "bug_id": one[0], "source": "model", "rank": int(one[1]), "outcome": "plausible", "reviewer": "ada",
        "verdict": "correct", "note": "ada says",
    }  # fmt: skip
    said = shell("reviews", RUN).stdout
    assert "ada and bob have both reviewed 2 patches and agree on 1; Cohen's kappa: 0.33" in said
    assert "bugs with a correct patch: 1" in said


def test_a_review_is_withdrawn(shell, plausible):
    shell("review", RUN, *plausible[0], "--verdict", "correct", "--reviewer", "ada")
    done = shell("review", RUN, *plausible[0], "--withdraw", "--reviewer", "ada")
    assert (done.exit_code, done.stderr, "withdrawn by ada" in done.stdout) == (0, "", True)
    assert json.loads(shell("reviews", RUN, "--json").stdout)["reviews"] == []
    done = shell("review", RUN, *plausible[0], "--withdraw", "--reviewer", "ada")
    assert (done.exit_code, "'ada' has no review of this patch to withdraw" in done.stderr) == (2, True)


@pytest.mark.parametrize("words", [[], ["--withdraw", "--verdict", "correct"]])
def test_a_review_is_either_given_or_withdrawn(shell, plausible, words):
    done = shell("review", RUN, *plausible[0], "--reviewer", "ada", *words)
    assert (done.exit_code, "give either --verdict (correct, incorrect, unsure) or --withdraw" in done.stderr) == (
        2,
        True,
    )


def test_where_no_kappa_is_defined_it_is_said(shell, plausible):
    for reviewer in ("ada", "bob"):
        shell("review", RUN, *plausible[0], "--verdict", "correct", "--reviewer", reviewer)
    assert json.loads(shell("reviews", RUN, "--json").stdout)["agreements"][0]["kappa"] is None
    assert "Cohen's kappa: not defined" in shell("reviews", RUN).stdout


def test_a_review_of_a_patch_that_is_not_plausible_does_not_count(shell, plausible):
    place = (plausible[0][0], next(str(rank) for rank in range(1, 11) if (plausible[0][0], str(rank)) not in plausible))
    done = shell("review", RUN, *place, "--verdict", "correct", "--reviewer", "ada")
    assert done.exit_code == 0
    assert "plausible patches only" in done.stderr
    assert json.loads(shell("reviews", RUN, "--json").stdout)["correct"] == 0


def test_what_is_wrong_is_said(shell, plausible):
    done = shell("review", RUN, *plausible[0], "--verdict", "good", "--reviewer", "ada")
    assert (done.exit_code, "should be one of correct, incorrect, unsure (got 'good')" in done.stderr) == (2, True)
    done = shell("review", RUN, "no-such-bug", "1", "--verdict", "correct", "--reviewer", "ada")
    assert (done.exit_code, "has no bug 'no-such-bug'" in done.stderr) == (2, True)
    assert "no reviews yet" in shell("reviews", RUN).stdout


def test_what_people_write_does_not_steer_the_terminal(shell, plausible):
    done = shell("review", RUN, *plausible[0], "--verdict", "correct", "--reviewer", f"ada {ODD}", "--note", ODD)
    shell("review", RUN, *plausible[0], "--verdict", "correct", "--reviewer", "bob")
    for said in (done.stdout, shell("reviews", RUN).stdout):
        assert "[red]" in said
        assert not [each for each in said if not each.isprintable() and each != "\n"]
