"""The Datasets page: what was left out is listed on a click, samples are found from there, and it is deleted knowingly."""

from __future__ import annotations

import json
import re
import sqlite3

import pytest
from filled import NAMES
from pages import drawn_tab

from engine.specs import parse

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
expect = sync_api.expect


@pytest.fixture
def panel(still_server, open_page):
    """The page of a used home on which nothing happens by itself."""
    found = drawn_tab(open_page(f"{still_server.url}/?dataset=stdlib-faults"), "Datasets")
    found.locator(".chart svg.main-svg").first.wait_for()  # plotly's script is there
    return found


def test_the_rows_of_a_loss_are_shown_searched_and_paged(panel):
    panel.locator(".funnel button", has_text="longer than 1024 tokens").click()
    listing = panel.locator(".listing")
    expect(listing.locator("h3")).to_have_text("Left out: longer than 1024 tokens 1 to 50 of 311")
    expect(listing.locator("tbody tr").first).to_contain_text("long.py:0")
    expect(listing.locator("tbody tr").first).to_contain_text("1,100")
    assert "listed=loss:longer" in panel.page.url
    listing.get_by_role("button", name="Next").click()
    expect(listing.locator("h3")).to_contain_text("51 to 100 of 311")
    listing.get_by_label("Search these rows").fill("py:30")
    expect(listing.locator("h3")).to_contain_text("1 to 11 of 11")
    listing.get_by_role("button", name="Close").click()
    expect(listing).to_be_hidden()


def test_a_sample_with_code_of_a_benchmark_is_found_from_the_overlap(panel):
    panel.get_by_role("button", name="pocket", exact=True).click()
    rows = panel.locator(".listing tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.nth(2)).to_contain_text("60%")
    rows.nth(2).get_by_role("button").click()
    expect(panel.locator(".sample b").first).to_have_text(f"{NAMES[2]}.py:2")
    expect(panel.get_by_label("Search samples")).to_have_value(f"{NAMES[2]}.py:2")


def test_of_a_duplicate_the_sample_that_it_is_like_is_found(panel):
    panel.locator(".funnel button", has_text="a duplicate").click()
    panel.locator(".listing tbody tr").first.get_by_role("button", name="gcd.py:0").click()
    expect(panel.locator(".sample b").first).to_have_text("gcd.py:0")


def test_expected_ids_that_are_missing_are_shown(panel):
    expect(panel.locator(".caution", has_text="22 of 24 expected ids")).to_be_visible()
    panel.get_by_role("button", name="Show them").click()
    expect(panel.locator(".listing tbody tr")).to_have_text(["Lang-1not in the source", "Lang-2empty cell "])


def test_one_click_builds_it_again_without_code_of_benchmarks(panel, still_server):
    panel.get_by_role("button", name="Build again without these samples").click()
    expect(panel.locator(".strip")).to_contain_text("stdlib-faults-2")
    with sqlite3.connect(still_server.home / "studio.db") as database:
        (spec,) = database.execute("SELECT spec FROM run ORDER BY id DESC LIMIT 1").fetchone()
    built = parse(json.loads(spec))
    assert (built.name, built.exclude, built.exclude_share) == ("stdlib-faults-2", ("pocket",), 0.5)


def test_deleting_names_the_runs_that_use_it_and_is_refused_while_one_runs(panel):
    panel.locator("#delete-dataset").click()
    question = panel.get_by_text("Delete stdlib-faults and its files?")
    expect(question).to_contain_text("run 7 (repair-qlora), run 6 (too-large), run 2 (repair-lora)")
    panel.get_by_role("button", name="Delete it").click()
    expect(panel.page.get_by_text(re.compile("is used by run 7.*stop it first")).first).to_be_visible()
    panel.get_by_role("button", name="No", exact=True).click()
    expect(question).to_be_hidden()


def test_a_dataset_is_downloaded_in_each_form(panel):
    for title, name, said in (
        ("JSONL", "dataset-stdlib-faults.jsonl", '"id": "gcd.py:0"'),
        ("Dataset card", "dataset-stdlib-faults.card.md", "# stdlib-faults"),
        ("Figures", "dataset-stdlib-faults.report.json", '"undated": 3'),
    ):
        panel.locator("summary", has_text="Export").click()
        with panel.page.expect_download() as download:
            panel.locator(".menu a", has_text=title).click()
        assert download.value.suggested_filename == name
        assert said in download.value.path().read_text()
        panel.page.keyboard.press("Escape")
        panel.locator("summary", has_text="Export").evaluate("(summary) => { summary.parentElement.open = false; }")


def test_nothing_moves_sideways_on_a_telephone(still_server, open_page):
    page = open_page(f"{still_server.url}/?dataset=stdlib-faults&listed=overlap:pocket", width=390, height=844)
    panel = drawn_tab(page, "Datasets")
    panel.locator(".listing tbody tr").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
