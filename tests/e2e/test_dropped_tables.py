"""A table that is dropped on the Datasets page: its kind is found, what becomes of its rows is shown before a run."""

from __future__ import annotations

import json

import pytest
from pages import drawn_tab

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
expect = sync_api.expect

TALK = [{"from": "human", "value": "Fix <b>it</b>."}, {"from": "gpt", "value": "Done."}]


@pytest.fixture
def panel(still_server, open_page):
    return drawn_tab(open_page(still_server.url, width=390, height=844), "Datasets")


def dropped(panel, file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    panel.locator(".drop input").set_input_files(file)
    expect(panel.get_by_text(f"{file.name} is in the form below")).to_be_visible()


def setting(panel, name):
    return panel.locator(f"[data-setting={name}]").filter(visible=True)


def test_conversations_are_known_by_their_columns_and_answers_are_marked(panel, tmp_path):
    dropped(panel, tmp_path / "talk.jsonl", [{"id": n, "conversations": TALK if n else 0} for n in range(3)])
    chooser = panel.locator("select[data-setting=name]").first
    expect(chooser).to_have_value("conversations")
    expect(setting(panel, "conversation")).to_have_value("conversations")
    expect(panel.locator(".preview th.used")).to_have_text(["idis: ID", "conversationsis: Conversation"])
    expect(panel.locator(".made > li")).to_have_count(3)
    expect(panel.locator(".made > li").nth(0)).to_have_text("left out: is no conversation")
    expect(panel.locator(".made > li").nth(1)).to_have_text("user, readFix <b>it</b>.assistant, learnedDone.")
    expect(panel.locator(".made .learned")).to_have_count(2)
    expect(panel.locator(".caution", has_text="Of the first 3 rows these will be left out: 1 is no")).to_be_visible()
    assert panel.page.evaluate("document.documentElement.scrollWidth") == 390


def test_another_table_is_for_the_builder_whose_columns_it_has(panel, tmp_path):
    chooser = panel.locator("select[data-setting=name]").first
    dropped(panel, tmp_path / "talk.jsonl", [{"conversations": TALK}])
    expect(chooser).to_have_value("conversations")
    dropped(panel, tmp_path / "choices.jsonl", [{"prompt": "a", "chosen": "b", "rejected": "c"}])
    expect(chooser).to_have_value("preferences")
    expect(panel.locator("#dataset-representation")).to_be_hidden()
    dropped(panel, tmp_path / "odd.jsonl", [{"p": "a", "c": "b", "r": "c"}])  # no builder's: the chosen one stays
    expect(chooser).to_have_value("preferences")


def test_a_column_that_fits_nothing_is_said_before_a_run(panel, tmp_path):
    dropped(panel, tmp_path / "pairs.jsonl", [{"input": "a", "target": "b", "n": n} for n in range(5)])
    expect(panel.locator("select[data-setting=name]").first).to_have_value("texts")
    expect(panel.locator(".made .learned").first).to_have_text("text, learnedb")
    setting(panel, "output").select_option("n")
    expect(
        panel.locator(".complaint", has_text="no row can be read with these columns: 5 a cell is not")
    ).to_be_visible()
