"""One run on Monitor: its axis and smoothing, its name and note, its removal; rounds are started and followed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pages import asked_again, field, tab

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
expect = sync_api.expect
BUGS = Path(__file__).resolve().parents[2] / "assets" / "bugs" / "python"


def shown(page):
    return page.get_by_role("tabpanel").filter(visible=True)


def traces(panel, place=0):
    """The curves of a chart, as plotly holds them."""
    plot = panel.locator(".chart .plot").nth(place)
    return plot.evaluate("plot => (plot.data ?? []).map(({name, x, opacity}) => ({name, x, opacity: opacity ?? 1}))")


def axis_title(panel, words):
    return expect(panel.locator(".chart .xtitle").first).to_have_text(words)


def test_axis_smoothing_and_scale_are_chosen_kept_in_the_address_and_over_refreshes(still_server, open_page):
    page = open_page(f"{still_server.url}/?run=2")
    panel = shown(page)
    axis_title(panel, "optimizer step")
    assert traces(panel)[0]["x"][-1] == 120
    panel.get_by_role("button", name="Time", exact=True).click()
    axis_title(panel, re.compile("(seconds|minutes|hours) since the start"))
    panel.get_by_role("button", name="Medium", exact=True).click()
    panel.get_by_role("button", name="Log", exact=True).click()
    page.wait_for_url("**/?run=2&curves=time,medium,log")
    expect(panel.get_by_role("button", name="Log", exact=True)).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("document.querySelector('.chart .plot').layout.yaxis.type === 'log'")
    loss = [each for each in traces(panel) if each["name"] == "training"]
    assert [each["opacity"] for each in loss] == [0.35, 1], "the curve itself, faintly, and its mean"
    asked_again(page)
    axis_title(panel, re.compile("since the start"))
    other = open_page(page.url)
    axis_title(shown(other), re.compile("since the start"))
    shown(other).get_by_role("button", name="Steps", exact=True).click()
    axis_title(shown(other), "optimizer step")


def test_a_run_is_renamed_noted_found_and_deleted(still_server, open_page):
    page = open_page(f"{still_server.url}/?run=2")
    panel = shown(page)
    panel.get_by_text("Rename, note").click()
    panel.get_by_label("Name", exact=True).fill("starter")
    panel.get_by_role("button", name="Save").click()
    expect(page.get_by_text("there is already a model")).to_be_visible()
    panel.get_by_label("Name", exact=True).fill("best-of-all")
    panel.get_by_label("Note", exact=True).fill("after the <b>prompt</b> was mended")
    panel.get_by_role("button", name="Save").click()
    expect(panel.locator(".strip").get_by_text("best-of-all")).to_be_visible()
    expect(panel.locator(".strip .note")).to_have_text("after the <b>prompt</b> was mended")
    field(panel, "Search runs").fill("was mended")
    expect(panel.locator(".cards .card")).to_have_count(1)
    field(panel, "Search runs").fill("")
    panel.get_by_role("button", name="Delete", exact=True).click()
    asked = panel.locator(".asked")
    expect(asked).to_contain_text("run 3")
    expect(asked).to_contain_text("repair-lora-merged")
    asked.get_by_role("button", name="No").click()
    expect(asked).to_be_hidden()
    panel.get_by_role("button", name="Delete", exact=True).click()
    asked.get_by_role("button", name="Delete it").click()
    expect(panel.locator(".cards").get_by_text("best-of-all")).to_have_count(0)
    expect(page.get_by_text("Run 2 is deleted.")).to_be_visible()
    opened = open_page(f"{still_server.url}/?run=2")
    expect(opened.get_by_text("there is no run 2")).to_be_visible()


def test_runs_are_filtered_by_their_state(still_server, open_page):
    panel = tab(open_page(still_server.url), "Monitor")
    cards = panel.locator(".cards .card .chip")
    panel.get_by_label("State").click()
    panel.get_by_role("option", name="failed", exact=True).click()
    expect(cards).to_have_text(["failed"])


def test_rounds_are_started_on_train_and_followed_on_monitor(server, shell, open_page):
    page = open_page(f"{server.url}/?tab=train")
    panel = tab(page, "Train")
    panel.get_by_role("button", name="Learn from verdicts in rounds").click()
    field(panel, "Rounds").fill("0")
    field(panel, "Bugs to learn from").fill(str(BUGS))
    expect(panel.get_by_text("Rounds: should be a whole number from 1 to 100")).to_be_visible()
    field(panel, "Rounds").fill("2")
    field(panel, "Attempts per bug").fill("3")
    expect(panel.get_by_text(re.compile("repair-studio rounds --model starter --rounds 2"))).to_be_visible()
    panel.get_by_role("button", name="Start rounds").click()
    page.wait_for_url("**/?run=1")
    stages = shown(page).locator(".group-stages .stage")
    expect(stages).to_have_count(6)
    expect(stages.first).to_contain_text("Round 1: write patches")
    expect(stages.last).to_contain_text("Round 2: train")
    stages.nth(1).get_by_role("link").click()
    page.wait_for_url("**/?run=2")
    runs = json.loads(shell("runs", "--json").stdout)
    assert [run["kind"] for run in reversed(runs)] == ["benchmark", "dataset", "train"] * 2
    for run in runs:  # the newest first, so none fails for the lack of another's result
        shell("runs", "stop-now", str(run["id"]))
