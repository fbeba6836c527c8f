"""The address contains every choice, and opens the same in another browser."""

from __future__ import annotations

import re

import pytest
from pages import drawn_tab, field, tab

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
expect = sync_api.expect


def shown(page):
    return page.get_by_role("tabpanel").filter(visible=True)


def test_a_patch_is_shared_by_its_address(still_server, open_page):
    page = open_page(f"{still_server.url}/?patches=5")
    panel = shown(page)
    panel.get_by_text("Plausible", exact=True).click()
    expect(panel.get_by_text("20 bugs")).to_be_visible()
    field(panel, "Search bugs").fill("gcd")
    expect(panel.locator(".verdict-table tbody tr")).to_have_count(1)
    panel.get_by_role("button", name="candidate 9 of pocket/py-gcd: plausible").click()
    expect(panel.get_by_role("heading", name="candidate 9")).to_be_visible()
    page.wait_for_url("**/?patches=5&bug=pocket/py-gcd&rank=9&show=plausible&q=gcd")
    other = open_page(page.url)
    expect(shown(other).get_by_role("heading", name="candidate 9")).to_be_visible()
    expect(shown(other).locator(".verdict-table tbody tr")).to_have_count(1)
    expect(shown(other).locator(".code.diff mark").first).to_be_visible()
    assert other.url == page.url
    panel.get_by_role("button", name="buggy code of pocket/py-gcd").click()
    page.wait_for_url(re.compile("rank=buggy_code"))


def test_what_is_shown_without_a_choice_is_in_the_address_too(still_server, open_page):
    page = open_page(still_server.url)
    for name, address in (("Datasets", "?dataset=stdlib-faults"), ("Monitor", "?run=7"), ("Patches", "?patches=5"), ("Compare", "?compare=4,5"),
                          ("Chat", "?tab=chat&bug=pocket/py-stock-check"), ("Train", "?tab=train")):  # fmt: skip
        drawn_tab(page, name)
        page.wait_for_url(f"**/{address}")


def test_a_comparison_can_be_shared(still_server, open_page):
    page = open_page(f"{still_server.url}/?patches=5")
    shown(page).get_by_role("link", name="Compare", exact=True).click()
    panel = shown(page)
    expect(panel.get_by_text("hoose 2 to 8 different benchmark runs")).to_be_visible()
    panel.get_by_label("Runs to compare").click()
    page.get_by_role("option", name=re.compile("run 4.*starter on pocket")).click()
    panel.get_by_role("button", name=re.compile("only by")).first.click()
    expect(panel.get_by_text(re.compile("repaired by . only"))).to_be_visible()  # the table holds these bugs now
    bug = panel.locator(".pair .name").first
    bug.click()
    expect(panel.locator(".beside .code.diff").first).to_be_visible()
    expect(panel.locator(".beside h3")).to_be_in_viewport()
    expect(panel.get_by_role("button", name="Show all")).to_be_enabled()
    expect(panel.get_by_role("button", name="Previous page")).to_be_disabled()
    page.wait_for_url(re.compile(r"(?=.*compare=5,4)(?=.*repaired=)(?=.*bug=)"))
    other = open_page(page.url)
    expect(shown(other).locator(".patterns [aria-pressed=true]")).to_have_count(1)
    expect(shown(other).locator(".pair .name.chosen")).to_have_count(1)
    expect(shown(other).locator(".beside .code.diff").first).to_be_visible()
    assert other.url == page.url


def test_back_goes_to_the_page_before(still_server, open_page):
    page = open_page(f"{still_server.url}/?run=2")
    shown(page).get_by_role("link", name="Benchmark", exact=True).click()
    expect(shown(page).get_by_role("combobox", name="Model")).to_have_value("repair-lora")
    page.go_back()
    expect(shown(page).locator(".strip")).to_contain_text("repair-lora")
    page.wait_for_url("**/?run=2")
    tab(page, "Merge").locator(".parity").wait_for()
    page.go_back()
    page.wait_for_url("**/?run=2")
    expect(page.get_by_role("tab", name="Monitor")).to_have_attribute("aria-selected", "true")


def test_a_run_is_asked_for_again_with_changes(still_server, open_page):
    page = open_page(f"{still_server.url}/?run=2")
    shown(page).get_by_role("link", name="Run again with changes").click()
    panel = shown(page)
    expect(field(panel, "Name")).to_have_value("repair-lora-2")
    field(panel, "Rank").fill("32")
    expect(panel.get_by_text("Changed: Rank 16 → 32")).to_be_visible()
    page.wait_for_url("**/?tab=train&again=2")
    page.reload()
    expect(field(shown(page), "Name")).to_have_value("repair-lora-2")


def test_a_file_is_uploaded_seen_and_named_in_the_form(still_server, open_page, tmp_path):
    rows = "".join(
        f'{{"before": "def f():\\\\n    return {n}\\\\n", "after": "def f():\\\\n    return -{n}\\\\n"}}\n'
        for n in range(9)
    )
    file = tmp_path / "mine.jsonl"
    file.write_text(rows)
    panel = drawn_tab(open_page(still_server.url), "Datasets")
    panel.locator(".drop input").set_input_files(file)
    expect(panel.get_by_text("mine.jsonl is in the form below")).to_be_visible()
    expect(field(panel, "File")).to_have_value(re.compile(r"/uploads/[0-9a-f]{8}/mine\.jsonl$"))
    expect(panel.locator(".preview tbody tr")).to_have_count(3)
    expect(panel.locator(".preview th.used")).to_have_count(2)


def test_on_a_phone_a_patch_is_a_sheet_over_the_page(still_server, open_page):
    page = open_page(f"{still_server.url}/?patches=5", 390, 844)
    panel = shown(page)
    expect(panel.locator(".sheet")).to_be_hidden()
    panel.get_by_role("button", name="known fix of pocket/py-binary-search").click()
    sheet = panel.locator(".sheet")
    expect(sheet).to_be_in_viewport(ratio=0.9)
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= seen
    sheet.get_by_role("button", name="Close").click()
    expect(sheet).to_be_hidden()


@pytest.mark.parametrize("height", [700, 900, 1080])
def test_the_table_fills_the_height_without_scrolling_inside(still_server, open_page, height):
    page = open_page(f"{still_server.url}/?patches=5", 1440, height)
    page.locator(".verdict-table").wait_for()
    page.wait_for_timeout(800)  # it is drawn again when it is known how much there is room for
    inner, bottom, strip = page.evaluate("""() => {
        const table = document.querySelector('.verdict-table'), pager = document.querySelector('.pager');
        return [table.scrollHeight - table.clientHeight, pager.getBoundingClientRect().bottom,
            document.querySelector('.run-row').getBoundingClientRect().height];
    }""")
    assert inner <= 1
    assert bottom <= height
    assert bottom > height - 120 or height == 1080  # all 24 bugs have room there
    assert strip <= 90


@pytest.mark.parametrize(("address", "name"), [("?tab=train", ""), ("?tab=train&again=2", "repair-lora-2")])
def test_what_is_typed_stays_over_a_reload_and_a_new_link_begins_anew(still_server, open_page, address, name):
    page = open_page(f"{still_server.url}/{address}")
    panel = shown(page)
    expect(panel.locator(".memory")).to_be_visible()
    expect(field(panel, "Name")).to_have_value(name)  # a link has filled the form
    field(panel, "Learning rate").fill("0.0007")
    field(panel, "Name").fill("typed-here")
    expect(panel.get_by_text('name="typed-here"')).to_be_visible()
    page.reload()
    expect(field(shown(page), "Name")).to_have_value("typed-here")
    expect(field(shown(page), "Learning rate")).to_have_value("0.0007")
    other = page.context.new_page()
    other.goto(f"{still_server.url}/?tab=train&again=2")
    expect(field(shown(other), "Name")).to_have_value("repair-lora-2")
    expect(field(shown(other), "Learning rate")).to_have_value("0.0002")
    page.goto(f"{still_server.url}/?tab=train&use=dataset:stdlib-faults")
    expect(shown(page).locator(".memory")).to_be_visible()
    expect(field(shown(page), "Name")).to_have_value("")


def test_what_is_typed_comes_back_also_where_another_page_was_reloaded(still_server, open_page):
    page = open_page(f"{still_server.url}/?tab=train")
    field(shown(page), "Name").fill("typed-here")
    expect(shown(page).get_by_text('name="typed-here"')).to_be_visible()
    drawn_tab(page, "Monitor")
    page.reload()
    shown(page).locator(".strip").wait_for()
    expect(field(tab(page, "Train"), "Name")).to_have_value("typed-here")
