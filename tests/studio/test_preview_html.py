"""The preview of a table and a sample: what becomes of rows, escaped and cut; both answers of a preference."""

from __future__ import annotations

from engine.builders import Funnel
from engine.builders.previews import Part, Preview
from engine.control.datasets import ShownSample
from studio.html.dataset import MOST_PARTS, MOST_SHOWN, preview, sample

HOSTILE = "<img src=x onerror=alert(1)>"


def shown(made, funnel, **more):
    rows = [{HOSTILE: HOSTILE}] * len(made)
    return preview(Preview([HOSTILE], rows, funnel, "", {}, made, **more), {HOSTILE: f"is: {HOSTILE}"}, "at-file")


def test_what_becomes_of_rows_is_escaped_cut_and_marked():
    parts = [Part(HOSTILE, "y" * (MOST_SHOWN + 1), True), *[Part("user, read", HOSTILE)] * MOST_PARTS]
    html = shown([parts, HOSTILE], Funnel(source=2, lost={HOSTILE: 1}, examples={HOSTILE: "row 2"}))
    assert "<img" not in html
    assert html.count('<div class="learned">') == 1
    assert html.count('<div class="read">') == MOST_PARTS - 1
    assert "and 1 more" in html
    assert f"{'y' * MOST_SHOWN}...</code>" in html
    assert "left out: &lt;img" in html
    assert "Of the first 2 rows these will be left out" in html


def test_where_nothing_becomes_of_any_row_it_is_a_complaint_at_the_field():
    html = shown(["empty"], Funnel(source=1, lost={"empty": 1}, examples={"empty": "row 1"}), is_whole=True)
    assert "no row can be read with these columns: 1 empty (first: row 1)" in html
    assert 'data-wrong="at-file"' in html


def test_a_source_that_is_not_read_yet_is_only_said_to_be_so():
    assert preview(Preview([], [], Funnel(), "", note=HOSTILE), {}, "x") == (
        '<p class="dim">&lt;img src=x onerror=alert(1)&gt;</p>'
    )


def test_a_preference_shows_both_answers():
    preferred = ShownSample(0, 1, True, "Main", "k", "p", "better", "", "", (("p", False),), rejected="worse")
    drawn = sample(preferred)
    assert "<h4>Better answer</h4>" in drawn
    assert "<h4>Worse answer</h4>" in drawn
    assert "<h4>Target</h4>" not in drawn
