"""A file of patches is dropped on the Patches page, recognised, imported as a run, and compared with another one."""

from __future__ import annotations

import json

import pytest
from pages import WAIT_MS, field, tab

from engine.benchmarks.pocket import Pocket

sync_api = pytest.importorskip("playwright.sync_api")
BUGS = [bug for bug in Pocket(Pocket.Params()).bugs() if bug.language == "python"][:2]
pytestmark = pytest.mark.browser


def test_results_of_two_programs_are_imported_and_compared(server, open_page, tmp_path):
    page = open_page(server.url)
    panel = tab(page, "Patches")
    for who, passed in (("gpt-a", True), ("gpt-b", False)):
        rows = [
            {"bug_id": bug.id, "file": bug.fixed, "maker": who, "outcome": "plausible" if passed else "test_failed"}
            for bug in BUGS
        ]
        file = tmp_path / f"{who}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        panel.get_by_role("button", name="Import", exact=True).click()
        panel.locator(".drop input").set_input_files(file)
        sync_api.expect(
            panel.get_by_text(f"{who}.jsonl is in the form below: rows of patches, with verdicts")
        ).to_be_visible()
        sync_api.expect(field(panel, "Made by")).to_have_value(who)
        sync_api.expect(panel.get_by_label("Keep its verdicts")).to_be_checked()
        panel.get_by_role("button", name="Import patches").click()
        words = "plausible" if passed else "test failed"
        cells = panel.get_by_role("button", name=f"candidate 1 of {BUGS[0].id}: {words}")
        sync_api.expect(cells).to_be_visible(timeout=WAIT_MS)
    panel.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        panel.get_by_role("link", name="Parquet").click()
    assert download.value.suggested_filename == "run-2.parquet"
    assert download.value.path().read_bytes()[:4] == b"PAR1"
    panel = tab(page, "Compare")
    sync_api.expect(panel.get_by_role("rowheader", name="gpt-a").first).to_be_visible(timeout=WAIT_MS)
    with page.expect_download() as download:
        panel.get_by_role("link", name="LaTeX table").click()
    assert "gpt-a & 2 & 2 (100.0" in download.value.path().read_text()


def test_a_file_of_something_else_is_refused_with_its_fields(server, open_page, tmp_path):
    page = open_page(server.url)
    panel = tab(page, "Patches")
    panel.get_by_role("button", name="Import", exact=True).click()
    panel.get_by_role("button", name="Import patches").click()
    sync_api.expect(panel.get_by_text("drop a file of patches above")).to_be_visible()
    file = tmp_path / "notes.jsonl"
    file.write_text('{"id": 1, "<b>text": "x"}\n')
    panel.locator(".drop input").set_input_files(file)
    said = "notes.jsonl, line 1: these are no patches in a known format: the fields are 'id, <b>text'"
    sync_api.expect(panel.get_by_text(said)).to_be_visible()
    assert list((server.home / "uploads").iterdir()) == [], "it is not kept"
