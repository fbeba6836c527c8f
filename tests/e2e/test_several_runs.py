"""Several runs on the page: a sweep started, its runs side by side, one repeated with a change, the queue reordered."""

from __future__ import annotations

import re

import pytest
from pages import field, more_settings, tab

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
expect = sync_api.expect


def shown(page):
    return page.get_by_role("tabpanel").filter(visible=True)


def test_a_sweep_is_started_compared_and_one_of_it_repeated(server, shell, open_page):
    shell("dataset", "build", "demo", "--set", "name=d", "--set", "builder.samples=40", "--wait")
    page = open_page(f"{server.url}/?tab=train")
    panel = tab(page, "Train")
    expect(panel.get_by_text("The first sample")).to_be_visible()
    more_settings(panel)
    field(panel, "Max steps").fill("2")
    field(panel, "Batch size").fill("1")
    field(panel, "Try several values").fill("trainer.rate=1,2")
    panel.get_by_role("button", name="Start training").click()
    expect(panel.get_by_role("alert")).to_contain_text("rate")
    field(panel, "Try several values").fill("trainer.learning_rate=1e-4,1e-3\ntrainer.rank=4")
    panel.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/?run=2&with=3")
    panel = shown(page)
    table = panel.locator("table.several")
    expect(table.locator("tbody tr")).to_have_count(2)
    expect(table.locator("thead")).to_contain_text("trainer.learning_rate")
    expect(table.locator("thead")).not_to_contain_text("rank")
    expect(table.locator("tr.best")).to_have_count(1, timeout=180_000)
    expect(table.get_by_text("done")).to_have_count(2, timeout=180_000)
    expect(panel.locator(".chart .plot .scatterlayer .trace").nth(1)).to_be_attached()
    other = open_page(page.url)
    expect(shown(other).locator("table.several tbody tr")).to_have_count(2)
    panel.get_by_role("button", name="Remove train-3").click()
    expect(table).to_be_hidden()
    page.wait_for_url("**/?run=2")
    panel.get_by_role("button", name="Compare with the chosen run: train-3").click()
    expect(table.locator("tbody tr")).to_have_count(2)
    panel.get_by_role("link", name="Run again with changes").click()
    panel = shown(page)
    expect(panel.get_by_text("Nothing is changed yet")).to_be_visible()
    field(panel, "Epochs").fill("3")
    expect(panel.get_by_text(re.compile("Changed: Epochs 1 → 3"))).to_be_visible()


def test_the_queue_is_reordered(server, shell, open_page):
    shell("dataset", "build", "demo", "--set", "name=d", "--set", "builder.samples=40", "--wait")
    for name in ("long", "second", "third"):
        shell("train", "--set", f"name={name}", "--set", "dataset=d", "--set", "trainer.epochs=500")
    panel = shown(open_page(f"{server.url}/?run=2"))
    queue = panel.locator(".waiting li a")
    expect(queue).to_have_text(["second", "third"])
    panel.get_by_role("button", name="One place up: third").click()
    expect(queue).to_have_text(["third", "second"])
    expect(panel.get_by_role("button", name="One place up: third")).to_be_disabled()
    shell("runs", "stop-now", "2")
    expect(queue).to_have_text(["second"], timeout=60_000)
    assert shell.json("runs", "show", "4")["state"] in ("starting", "running")
    for run in ("3", "4"):
        shell("runs", "stop-now", run)
