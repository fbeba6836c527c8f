"""The settings of plug-ins in a form: shown for the one that is chosen, kept when another is, filled in by a run or a file."""

from __future__ import annotations

import json
import re

import pytest
from pages import more_settings, preset, tab

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
expect = sync_api.expect


@pytest.fixture
def form(still_server, open_page):
    page = open_page(f"{still_server.url}/?tab=datasets")
    return page.get_by_role("tabpanel").filter(visible=True)


def chooser(panel, name):
    return panel.get_by_role("combobox", name=name, exact=True)


def spec(panel):
    """The JSON that the form shows."""
    if not panel.locator("pre").first.is_visible():
        panel.get_by_role("button", name="The same as a shell command").click()
    return json.loads(panel.locator("#dataset-recipe pre").last.inner_text())


def expect_setting(panel, name, value):
    expect(panel.locator("#dataset-recipe pre").last).to_contain_text(f'"{name}": {json.dumps(value)}')


def test_what_is_typed_stays_while_another_plugin_is_looked_at(form):
    samples = form.get_by_role("textbox", name="Samples", exact=True)
    samples.fill("77")
    chooser(form, "Builder").select_option("columns")
    expect(samples).to_be_hidden()
    form.get_by_role("textbox", name="File", exact=True).fill("/none.csv")
    chooser(form, "Builder").select_option("faults")
    expect(samples).to_have_value("77")
    form.get_by_role("button", name="The same as a shell command").click()
    expect_setting(form, "samples", 77)
    assert "file" not in spec(form)["builder"]


def test_settings_that_are_folded_away_belong_to_the_chosen_plugin(form):
    form.get_by_role("button", name="The same as a shell command").click()
    more_settings(form)
    form.get_by_role("checkbox", name="off by one").uncheck()
    expect(form.locator("#dataset-recipe pre").last).not_to_contain_text("off_by_one")
    form.get_by_role("textbox", name="Most of a file", exact=True).fill("3")
    expect_setting(form, "per_file", 3)
    more_settings(form)  # closed, and opened again
    more_settings(form)
    expect(form.get_by_role("textbox", name="Most of a file", exact=True)).to_have_value("3")
    expect(form.get_by_role("checkbox", name="off by one")).not_to_be_checked()
    chooser(form, "Builder").select_option("columns")
    expect(form.get_by_role("textbox", name="Most of a file", exact=True)).to_be_hidden()


def test_a_wrong_setting_is_marked_and_said(form):
    samples = form.get_by_role("textbox", name="Samples", exact=True)
    samples.fill("many")
    expect(form.locator("div.complaints:not(.block)")).to_contain_text("Samples: should be a whole number")
    expect(samples).to_have_attribute("aria-invalid", "true")
    samples.fill("7")
    expect(form.locator("div.complaints:not(.block)")).to_have_text("")
    expect(samples).not_to_have_attribute("aria-invalid", "true")


def test_columns_of_the_file_are_offered_and_the_likely_ones_chosen(form, tmp_path):
    file = tmp_path / "pairs.csv"
    file.write_text("n,after,project,before\n1,x,p,y\n")
    chooser(form, "Builder").select_option("columns")
    form.get_by_role("textbox", name="File", exact=True).fill(str(file))
    buggy = form.get_by_role("combobox", name=re.compile("^Buggy"))
    expect(buggy).to_have_value("before")
    assert set(buggy.locator("option").all_inner_texts()) == {"n", "after", "project", "before"}
    expect(form.get_by_role("combobox", name=re.compile("^Project"))).to_have_value("project")
    buggy.select_option("n")
    form.get_by_role("button", name="The same as a shell command").click()
    expect_setting(form, "buggy", "n")
    form.page.reload()
    form = form.page.get_by_role("tabpanel").filter(visible=True)
    expect(chooser(form, "Builder")).to_have_value("columns")
    expect(form.get_by_role("combobox", name=re.compile("^Buggy"))).to_have_value("n")


def test_a_run_fills_them_in(still_server, open_page):
    page = open_page(f"{still_server.url}/?tab=train&again=2")
    panel = page.get_by_role("tabpanel").filter(visible=True)
    rank = panel.get_by_role("textbox", name="Rank", exact=True)
    expect(rank).to_have_value("16")
    expect(panel.locator(".origin")).to_contain_text("Nothing is changed yet")
    rank.fill("32")
    expect(panel.locator(".origin")).to_contain_text("Rank 16 → 32")
    more_settings(panel)
    expect(panel.get_by_role("textbox", name="Beta1", exact=True)).to_have_value("0.9")


def test_a_preset_fills_them_in(still_server, open_page):
    page = open_page(f"{still_server.url}/?tab=train")
    panel = tab(page, "Train")
    more_settings(panel)
    modules = panel.get_by_role("textbox", name="Target modules", exact=True)
    before = modules.input_value()
    preset(panel, "repairllama")
    expect(modules).not_to_have_value(before)
