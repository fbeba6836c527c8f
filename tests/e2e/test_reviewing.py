"""Patches are reviewed by keys and buttons: marked at once, nothing jumps, and who reviews is asked once."""

from __future__ import annotations

import json
import re
import sqlite3

import pytest
from filled import HOSTILE
from pages import drawn_tab
from test_choices import wait_for

from engine.control.patches import BugQuery
from engine.control.workspace import Workspace

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
expect = sync_api.expect
RUN = 5


@pytest.fixture
def plausible(still_server):
    """(bug id, rank) of every plausible candidate of the run, in the order of the table."""
    workspace = Workspace(still_server.home)
    rows, _ = workspace.patches.page(RUN, BugQuery(size=60))
    workspace.close()
    return [(row.bug_id, rank) for row in rows for rank, outcome in row.cells if outcome == "plausible"]


def given(server):
    """(bug id, rank) -> {reviewer: (verdict, note)}, as stored."""
    with sqlite3.connect(server.home / "studio.db") as database:
        rows = database.execute(
            "SELECT bug.bug_id, patch.rank, reviewer, verdict, note FROM review JOIN patch ON patch.id = patch_id "
            "JOIN bug ON bug.id = patch.bug"
        ).fetchall()
    found = {}
    for bug_id, rank, reviewer, verdict, note in rows:
        found.setdefault((bug_id, rank), {})[reviewer] = (verdict, note)
    return found


def opened(server, open_page, place, **more):
    page = open_page(f"{server.url}/?patches={RUN}&bug={place[0]}&rank={place[1]}", **more)
    panel = page.get_by_role("tabpanel").filter(visible=True)
    expect(panel.locator(".patch h3")).to_have_text(re.compile(f"candidate {place[1]}"))
    panel.locator(".say button").first.wait_for()
    return page, panel


def button(panel, name):
    return panel.locator(".say").get_by_role("button", name=re.compile(rf"^\W*{name}"))


def shown_bug(panel, place):
    expect(panel.locator(".patch header .dim")).to_have_text(place[0])
    expect(panel.locator(".say [data-press='1']")).to_have_attribute(
        "data-pick", re.compile(rf"^(correct|withdraw):{RUN}:{place[1]}:{re.escape(place[0])}$")
    )


def test_keys_give_verdicts_and_lead_to_the_next_unreviewed_patch(still_server, open_page, plausible):
    page, panel = opened(still_server, open_page, plausible[0])
    expect(panel.locator(".figures-strip")).to_contain_text(re.compile(rf"0\s*/ {len(plausible)}\s*reviewed"))
    name = panel.get_by_role("textbox", name="Your name")
    name.press_sequentially("ada 1")
    expect(name).to_have_value("ada 1")
    assert given(still_server) == {}, "a digit typed into a field is no verdict"
    page.locator(".patch h3").click()
    page.keyboard.press("1")
    expect(button(panel, "Correct")).to_have_attribute("aria-pressed", "true")
    expect(panel.locator(".verdict-table .reviewed")).to_have_count(1)
    expect(panel.locator(".figures-strip")).to_contain_text(re.compile(rf"1\s*/ {len(plausible)}\s*reviewed"))
    shown_bug(panel, plausible[0])
    page.keyboard.press("ArrowRight")
    shown_bug(panel, plausible[1])
    page.keyboard.press("3")
    page.keyboard.press("ArrowRight")  # at once, while the verdict is on its way
    shown_bug(panel, plausible[2])
    page.keyboard.press("ArrowLeft")
    shown_bug(panel, plausible[-1])  # the two before are reviewed, so it goes round
    page.keyboard.press("2")
    wait_for(lambda: len(given(still_server)) == 3)
    verdicts = {place: said["ada 1"][0] for place, said in given(still_server).items()}
    assert verdicts == {plausible[0]: "correct", plausible[1]: "unsure", plausible[-1]: "incorrect"}


def test_the_same_verdict_once_more_withdraws_it(still_server, open_page, plausible):
    page, panel = opened(still_server, open_page, plausible[0])
    panel.get_by_role("textbox", name="Your name").fill("ada 2")
    page.locator(".patch h3").click()
    page.keyboard.press("2")
    wait_for(lambda: given(still_server).get(plausible[0], {}).get("ada 2"))
    expect(button(panel, "Incorrect")).to_have_attribute("aria-pressed", "true")
    expect(button(panel, "Incorrect")).to_have_attribute("title", "Incorrect (key 2), press again to withdraw it")
    page.keyboard.press("2")
    expect(button(panel, "Incorrect")).to_have_attribute("aria-pressed", "false")
    assert "ada 2" not in given(still_server).get(plausible[0], {})
    button(panel, "Incorrect").click()
    wait_for(lambda: given(still_server).get(plausible[0], {}).get("ada 2"))


def test_a_review_changes_nothing_else_on_the_page(still_server, open_page, plausible):
    page, panel = opened(still_server, open_page, plausible[0], height=700)
    panel.get_by_role("textbox", name="Your name").fill("ada")
    panel.get_by_text("The buggy file").click()
    sheet = panel.locator(".sheet")
    sheet.evaluate("(sheet) => { sheet.scrollTop = 120; }")
    page.locator("article.patch").evaluate("(patch) => { patch.dataset.same = 'yes'; }")
    places = """() => [document.querySelector('.sheet').scrollTop, scrollY,
        document.querySelector('.sheet').getBoundingClientRect().top,
        document.querySelector('.say').getBoundingClientRect().top]"""
    before = page.evaluate(places)
    assert before[0] == 120
    button(panel, "Correct").click()
    expect(panel.locator(".verdict-table .reviewed")).to_have_count(1)
    assert page.evaluate(places) == pytest.approx(before, abs=1)
    expect(page.locator("article.patch[data-same=yes]")).to_have_count(1)


def test_a_name_is_asked_for_and_kept(still_server, open_page, plausible):
    page, panel = opened(still_server, open_page, plausible[0])
    page.keyboard.press("1")
    expect(page.get_by_text("enter the reviewer's name")).to_be_visible()
    assert given(still_server) == {}
    panel.get_by_role("textbox", name="Your name").fill("ada")
    button(panel, "Unsure").click()
    expect(button(panel, "Unsure")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(panel.get_by_role("textbox", name="Your name")).to_have_value("ada")
    expect(button(panel, "Unsure")).to_have_attribute("aria-pressed", "true")


def test_a_note_belongs_to_its_patch_and_can_come_after_the_verdict(still_server, open_page, plausible):
    page, panel = opened(still_server, open_page, plausible[0])
    panel.get_by_role("textbox", name="Your name").fill("ada")
    note = panel.get_by_role("textbox", name="Note")
    note.fill("drops the check")
    button(panel, "Incorrect").click()
    expect(button(panel, "Incorrect")).to_have_attribute("aria-pressed", "true")
    button(panel, "Next").click()
    shown_bug(panel, plausible[1])
    expect(note).to_have_value("")
    button(panel, "Correct").click()
    expect(button(panel, "Correct")).to_have_attribute("aria-pressed", "true")
    note.fill("as the fix does")
    panel.locator(f".verdict-table [data-pick='{plausible[0][1]}:{plausible[0][0]}']").click()
    shown_bug(panel, plausible[0])
    expect(note).to_have_value("drops the check")
    wait_for(lambda: given(still_server)[plausible[1]] == {"ada": ("correct", "as the fix does")})
    assert given(still_server)[plausible[0]] == {"ada": ("incorrect", "drops the check")}


def test_an_answer_that_comes_late_leaves_what_was_typed(still_server, open_page, plausible):
    page, panel = opened(still_server, open_page, plausible[0])
    held, passes = [], []
    page.route("**/queue/join*", lambda route: route.continue_() if passes else held.append(route))
    panel.get_by_role("textbox", name="Your name").fill("ada")
    wait_for(lambda: page.wait_for_timeout(50) or held)
    note = panel.get_by_role("textbox", name="Note")
    note.fill("drops the check")
    passes.append(True)
    for each in held:
        each.continue_()
    button(panel, "Incorrect").click()
    wait_for(lambda: given(still_server).get(plausible[0]) == {"ada": ("incorrect", "drops the check")})
    expect(note).to_have_value("drops the check")


def test_what_others_said_is_seen_after_ones_own_verdict(still_server, open_page, plausible):
    workspace = Workspace(still_server.home)
    for place, verdict in zip(plausible[:3], ("incorrect", "correct", "unsure"), strict=False):
        workspace.reviews.give(
            RUN, place[0], "model", place[1], reviewer=f"bob {HOSTILE}"[:100], verdict=verdict, note=HOSTILE
        )
    workspace.close()
    page, panel = opened(still_server, open_page, plausible[0])
    panel.get_by_role("textbox", name="Your name").fill("ada")
    said = panel.locator(".others li")
    expect(panel.locator(".others summary")).to_have_text("1 other review")
    expect(said).to_be_hidden()
    expect(panel.locator(".verdict-table .reviewed.elsewhere")).to_have_count(3)
    page.locator(".patch h3").click()
    page.keyboard.press("1")
    expect(said).to_be_visible()
    expect(said).to_contain_text("incorrect")
    expect(said).to_contain_text(HOSTILE)
    expect(panel.locator(".agreements")).to_contain_text("κ = 0.00, 0 of 1 patch alike")
    page.keyboard.press("ArrowRight")
    shown_bug(panel, plausible[1])
    expect(said).to_be_hidden()
    panel.locator(".others summary").click()  # or on a click
    expect(said).to_be_visible()
    page.keyboard.press("ArrowRight")
    shown_bug(panel, plausible[2])
    expect(said).to_be_hidden()
    assert page.evaluate("window.hacked") is None


def test_keys_do_nothing_where_no_patch_is_open_or_another_page_is(still_server, open_page, plausible):
    page, panel = opened(still_server, open_page, plausible[0])
    panel.get_by_role("textbox", name="Your name").fill("ada")
    page.get_by_role("tab", name="Compare", exact=True).click()
    page.locator(".pairs").wait_for()
    page.keyboard.press("1")
    page.keyboard.press("ArrowRight")
    drawn_tab(page, "Patches")
    shown_bug(panel, plausible[0])
    failed = next(rank for rank in range(1, 11) if (plausible[0][0], rank) not in plausible)
    panel.locator(f".verdict-table [data-pick='{failed}:{plausible[0][0]}']").click()
    expect(panel.locator(".say [data-press='1']")).to_have_count(0)
    page.keyboard.press("1")
    page.keyboard.press("ArrowRight")
    shown_bug(panel, plausible[0] if failed < plausible[0][1] else plausible[1])
    assert given(still_server) == {}


def test_only_bugs_that_still_lack_my_review_are_shown(still_server, open_page, plausible):
    workspace = Workspace(still_server.home)
    for place in plausible[:-1]:
        workspace.reviews.give(RUN, place[0], "model", place[1], reviewer="ada", verdict="correct")
    workspace.close()
    page, panel = opened(still_server, open_page, plausible[-1])
    panel.get_by_text("Unreviewed", exact=True).click()
    expect(panel.locator(".verdict-table tbody tr")).to_have_count(1)
    panel.get_by_role("textbox", name="Your name").fill("ada")
    expect(panel.locator(".say nav")).to_contain_text("1 left")
    page.locator(".patch h3").click()
    page.keyboard.press("1")
    expect(panel.get_by_text("No bugs match")).to_be_visible()
    expect(panel.locator(".say nav")).to_contain_text("all reviewed")
    expect(button(panel, "Next")).to_be_disabled()
    panel.get_by_role("textbox", name="Your name").fill("bob")
    expect(panel.locator(".say nav")).to_contain_text(f"{len(plausible)} left")


def test_on_a_phone_the_verdicts_are_in_sight_below_the_patch(still_server, open_page, plausible):
    page, panel = opened(still_server, open_page, plausible[0], width=390, height=844)
    for name in ("Correct", "Incorrect", "Unsure"):
        expect(button(panel, name)).to_be_in_viewport(ratio=1)
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= seen, json.dumps([wide, seen])
    panel.locator(".patch .close").click()
    expect(button(panel, "Correct")).to_be_hidden()
    page.keyboard.press("1")
    assert given(still_server) == {}
