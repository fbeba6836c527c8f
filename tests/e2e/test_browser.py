"""The whole main job by clicking, in a real chromium, finding things by what a person reads."""

from __future__ import annotations

import re

import pytest
from filled import CHAT_BUG
from pages import TABS, WAIT_MS, drawn_tab, field, more_settings, preset, tab

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_all_pages_do_the_main_job(server, open_page):
    page = open_page(server.url)
    page.get_by_role("button", name="Hide", exact=True).click()
    sync_api.expect(page.get_by_role("button", name="Run the demo")).to_be_hidden()

    panel = tab(page, "Datasets")
    preset(panel, "demo")
    sync_api.expect(field(panel, "Name")).to_have_value("demo")
    field(panel, "Samples").fill("80")
    panel.get_by_role("button", name="Build dataset").click()
    sync_api.expect(panel.get_by_text("training samples")).to_be_visible(timeout=WAIT_MS)
    sync_api.expect(panel.get_by_text("Tokens as the model reads them")).to_be_visible()
    sync_api.expect(panel.get_by_text(re.compile("^1 of"))).to_be_visible()
    panel.get_by_role("button", name="Next").click()
    sync_api.expect(panel.get_by_text(re.compile("^2 of"))).to_be_visible()

    panel = tab(page, "Train")
    field(panel, "Learning rate").fill("abc")
    sync_api.expect(panel.get_by_role("alert")).to_contain_text("Learning rate: should be a number")
    preset(panel, "demo")
    sync_api.expect(field(panel, "Name")).to_have_value("demo-adapter")
    more_settings(panel)
    field(panel, "Max steps").fill("4")
    field(panel, "Logging steps").fill("1")
    sync_api.expect(panel.get_by_text("parameters trained")).to_be_visible()
    sync_api.expect(panel.get_by_text("trainer.max_steps=4")).to_be_visible()
    panel.get_by_role("button", name="Start training").click()

    panel = page.get_by_role("tabpanel").filter(visible=True)  # Monitor opens by itself
    sync_api.expect(panel.get_by_role("button", name=re.compile("^demo-adapter"))).to_contain_text(
        "done", timeout=WAIT_MS
    )
    sync_api.expect(panel.locator(".js-plotly-plot")).to_have_count(6)
    sync_api.expect(panel.get_by_text("Tokens per second")).to_be_visible()
    panel.get_by_role("button", name=re.compile("^demo-adapter")).click()
    page.wait_for_url(re.compile(r"\?run=\d+"))
    page.reload()
    panel = page.get_by_role("tabpanel").filter(visible=True)
    sync_api.expect(panel.get_by_role("button", name=re.compile("^demo-adapter"))).to_be_visible()
    sync_api.expect(panel.locator(".js-plotly-plot")).to_have_count(6)

    panel = tab(page, "Merge")
    preset(panel, "demo")
    sync_api.expect(field(panel, "Name")).to_have_value("demo-merged")
    more_settings(panel)
    field(panel, "Parity bugs").fill("1")
    panel.get_by_role("button", name="Merge and check").click()
    sync_api.expect(panel.get_by_text("1 of 1", exact=True)).to_be_visible(timeout=WAIT_MS)

    panel = tab(page, "Patches")
    panel.get_by_role("button", name="New benchmark run").click()
    preset(panel, "demo")
    sync_api.expect(panel.get_by_role("checkbox", name="java")).not_to_be_checked()  # the preset is filled in
    more_settings(panel)
    field(panel, "Candidates").fill("3")
    field(panel, "Limit").fill("4")
    panel.get_by_role("button", name="Start benchmark").click()
    cell = panel.get_by_role("button", name=re.compile("^known fix of .*: plausible"))
    sync_api.expect(cell).to_have_count(4, timeout=WAIT_MS)
    sync_api.expect(panel.get_by_text("/ 4").first).to_be_visible(timeout=WAIT_MS)  # of the finished run
    panel.get_by_role("button", name=re.compile("^buggy code of .*: test failed")).first.click()
    sync_api.expect(panel.get_by_role("heading", name="buggy code")).to_be_visible()
    cell.first.click()
    sync_api.expect(panel.get_by_text("Test log")).to_be_visible()
    with page.expect_download() as download:
        panel.get_by_text("Export", exact=True).click()
        panel.get_by_role("link", name="CSV").click()
    assert "known_fix" in download.value.path().read_text()

    panel = tab(page, "Compare")
    sync_api.expect(panel.get_by_text("One more is needed")).to_be_visible()

    panel = tab(page, "Chat")
    sync_api.expect(panel.locator(".code .marked").first).to_be_visible()
    field(panel, "Budget").fill("1")
    panel.get_by_role("button", name="Repair").click()
    sync_api.expect(panel.locator(".turn.assistant .verdict").first).to_be_visible(timeout=WAIT_MS)
    sync_api.expect(panel.get_by_role("button", name=re.compile("messages?"))).to_be_visible()


def test_no_page_scrolls_sideways_on_a_telephone(used_server, open_page):
    page = open_page(used_server.url, 390, 844)
    for name in TABS:
        drawn_tab(page, name)
        wide, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= seen, name
    tab(page, "Patches")
    ledger = page.get_by_role("region", name="Verdicts by bug")
    assert ledger.evaluate("part => part.scrollWidth > part.clientWidth"), "the table scrolls inside itself"


def test_hostile_text_stays_inert_in_every_page(used_server, open_page):
    page = open_page(used_server.url)
    for name in TABS:
        panel = drawn_tab(page, name)
        if name == "Monitor":
            panel.get_by_role("button", name=re.compile("^too-large")).click()
            sync_api.expect(panel.locator(".strip .complaint")).to_contain_text("<img src=x onerror")
        if name == "Patches":
            panel.get_by_role("button", name=re.compile("^candidate 3 of pocket.py-binary-search")).click()
            sync_api.expect(panel.get_by_text("Test log")).to_be_visible()
        if name == "Chat":
            panel.get_by_role("button", name=CHAT_BUG).click()
            sync_api.expect(panel.locator("pre", has_text="Please repair gcd.")).to_be_visible()
        assert "<img src=x onerror" in panel.inner_text() or name in ("Train", "Merge")
        assert page.evaluate("window.hacked") is None
        assert page.locator("img[src=x]").count() == 0
        assert page.locator("a[href^=javascript]").count() == 0


def test_light_and_dark_are_remembered(server, open_page):
    page = open_page(server.url, color_scheme="light")
    assert not page.evaluate("document.body.classList.contains('dark')")
    page.get_by_role("button", name="Dark").click()
    page.reload()
    page.get_by_role("button", name="Light").wait_for()
    assert page.evaluate("document.body.classList.contains('dark')")
