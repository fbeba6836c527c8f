"""The bar below a patch: what its clicks mean, what it shows of others, and that their words are only shown."""

from __future__ import annotations

import html
import re

import pytest
from filled import HOSTILE

from engine.control.reviews import VERDICTS, PatchReviews, Reviewed
from engine.scoring import Agreement
from studio.html.patch_table import patch_key
from studio.html.review import others, read_verdict, verdicts

KEY = patch_key(f"b/{HOSTILE}", "model", 3)


def found(**more):
    plain = dict(is_plausible=True, mine=None, others=(), before=None, after=None, left=0, agreements=())
    return PatchReviews(**{**plain, **more})


def picked(shown):
    return [html.unescape(value) for value in re.findall(r'data-pick="([^"]*)"', shown)]


def test_each_verdict_names_the_patch_that_it_is_drawn_below():
    shown = verdicts(7, KEY, found(before=("b/1", 2), after=("b/2", 10)))
    *said, before, after = picked(shown)
    assert [read_verdict(value) for value in said] == [(verdict, 7, KEY) for verdict in VERDICTS]
    assert (before, after) == ("2:b/1", "10:b/2")
    assert read_verdict(after) is None


def test_the_verdict_that_was_given_withdraws_itself_and_says_so():
    shown = verdicts(7, KEY, found(mine=Reviewed("ada", "incorrect", "", 0.0)))
    said = [read_verdict(value)[0] for value in picked(shown)]
    assert said == ["correct", "withdraw", "unsure"]
    assert re.findall(r'title="(\w+) \(key \d\), press again to withdraw it"', shown) == ["Incorrect"]
    assert "withdraw" not in verdicts(7, KEY, found())


@pytest.mark.parametrize(
    "value", ["", "correct", "correct:x:3:b", "correct:-1:3:b", "good:7:3:b", f"correct:{'9' * 12}:3:b"]
)
def test_what_no_button_of_ours_sends_is_no_verdict(value):
    assert read_verdict(value) is None


def test_a_patch_that_is_not_plausible_has_no_verdicts():
    assert picked(verdicts(7, KEY, found(is_plausible=False, after=("b/2", 1)))) == ["1:b/2"]


def test_where_nothing_is_left_no_button_leads_there():
    shown = verdicts(7, KEY, found())
    assert shown.count("disabled") == 2
    assert "all reviewed" in shown
    assert "4 left" in verdicts(7, KEY, found(left=4))


def test_what_others_said_is_escaped_and_folded_away_until_ones_own_is_given():
    other, mine = Reviewed(HOSTILE, "incorrect", HOSTILE, 0.0), Reviewed("ada", "unsure", "", 0.0)
    agreements = (Agreement(HOSTILE, "ada", 1, 0, None), Agreement("ada", "bob", 4, 3, 0.5))
    folded = others(KEY, found(others=(other, other), agreements=agreements))
    assert "<img" not in folded + verdicts(7, KEY, found())
    assert folded.count(html.escape(HOSTILE)) == 2 * 2 + 1 + 1  # names and notes, the pair, the key
    assert "2 other reviews" in folded
    assert "κ is not defined, 0 of 1 patch alike" in folded
    assert "κ = 0.50, 3 of 4 patches alike" in folded
    assert " open>" not in folded
    assert " open>" in others(KEY, found(others=(other,), mine=mine))
    assert 'aria-pressed="true" data-press="3"' in verdicts(7, KEY, found(mine=mine))
    assert others(KEY, found()) == ""
