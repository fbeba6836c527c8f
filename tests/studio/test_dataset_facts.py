"""What the page says of a dataset: hostile text is escaped, and each caution is there when it has a cause."""

from __future__ import annotations

from dataclasses import replace

import pytest
from filled import HOSTILE, fill

from engine.control.workspace import Workspace
from engine.listed import OTHERS, Listed
from engine.results import ExpectedIds, Loss, Window
from studio.html import dataset_facts
from studio.html.dataset import actions, funnel, report


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    home = tmp_path_factory.mktemp("used")
    fill(home, hostile=True)
    workspace = Workspace(home)
    yield workspace.datasets.get("stdlib-faults"), workspace.datasets.used_by("stdlib-faults")
    workspace.close()


def test_hostile_text_is_escaped(dataset):
    shown, uses = dataset
    pieces = [*report(shown, 1024), actions(shown), dataset_facts.overlap(shown)]
    pieces.append(dataset_facts.deletion(shown.name, uses))
    for what in (dataset_facts.LOSS, dataset_facts.OVERLAP, dataset_facts.MISSING):
        row = dict.fromkeys(("reason", "bug_id", "like", "cut", "how"), HOSTILE)
        row["reason"] += "duplicate"
        pieces.append(dataset_facts.listing(what, HOSTILE, Listed((row,), 1), 0, 50, 1))
    assert all("<script>" not in piece and "<img src=x" not in piece for piece in pieces)
    assert sum("&lt;script&gt;" in piece for piece in pieces) >= 7


def test_cautions_have_a_cause(dataset):
    shown = dataset[0]
    said = dataset_facts.cautions(shown, 1024)
    assert "would cut off the fix of 311, the mark of 290, the faulty lines of 120; 211 would teach nothing" in said
    assert "The day of 3 fixes is not known" in said
    assert "4 samples have code of a benchmark" in said
    assert "22 of 24 expected ids" in said
    calm = replace(
        shown, split="project", overlap=(), expected=ExpectedIds(3, 3), windows=(Window(1024, 9, 9, 9, {"fix": 0}),)
    )
    assert dataset_facts.cautions(calm, 1024) == '<p class="dim">3 of 3 expected ids are in it.</p>'
    assert dataset_facts.cautions(replace(calm, expected=None), None) == ""
    alone = replace(calm, expected=None, valid_rows=0, distinct={"projects": 1})
    assert "of one project, so none is for evaluation; with split=random some are" in dataset_facts.cautions(
        alone, None
    )


def test_rows_that_are_counted_and_not_listed_are_told():
    row = {"reason": "long", "bug_id": "a", "n_tokens": 5000}
    many = dataset_facts.listing("loss", "long", Listed((row,), 100_000), 2, 50, 100_500)
    assert "101 to 101 of 100,000" in many
    assert "500 more are counted; of one reason the first 100,000 are listed" in many
    assert "earlier version" in dataset_facts.listing("loss", "long", Listed((), 0), 0, 50, 7)
    assert "No row matches" in dataset_facts.listing("loss", "long", Listed((), 0), 0, 50, 0)


def test_only_a_reason_that_rows_are_listed_with_can_be_clicked():
    """A click on the step of all rare reasons said that the dataset was built by an earlier version."""
    drawn = funnel(9, [Loss("duplicate", 4, "b1"), Loss(OTHERS, 3, "b2")], 2)
    assert OTHERS in drawn
    assert (drawn.count("<button"), drawn.count("loss:duplicate"), drawn.count(f"loss:{OTHERS}")) == (1, 1, 0)


def test_only_formats_that_have_a_place_for_its_rows_are_offered(dataset):
    for holds, others in (("samples", "/dpo/"), ("preferences", "/firefly/")):
        offered = actions(replace(dataset[0], holds=holds))
        own = {"/dpo/", "/firefly/", "/jsonl/"} - {others}
        assert {each for each in (*own, others) if each in offered} == own
