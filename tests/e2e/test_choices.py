"""What a person chooses: nothing is started twice by accident, nothing unknown is taken, nothing chosen is lost."""

from __future__ import annotations

import re
import sqlite3
import time

import pytest
from filled import CHAT_BUG
from pages import TABS, asked_again, drawn_tab, field, tab

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
expect = sync_api.expect

CLOCK = "pocket/py-clock-format"
FIRST = "pocket/py-stock-check"  # that the shipped adapter is known to repair


def chosen_bug(panel):
    return panel.get_by_role("combobox", name="Bug", exact=True)


def states(server):
    with sqlite3.connect(server.home / "studio.db") as database:
        return [row[0] for row in database.execute("SELECT state FROM run ORDER BY id")]


def stopped_now(server):
    with sqlite3.connect(server.home / "studio.db") as database:
        return [row[0] for row in database.execute("SELECT id FROM run WHERE stop_now")]


def wait_for(holds):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_the_demo_starts_with_one_click_and_another_only_when_that_is_wanted(server, open_page):
    page = open_page(server.url)
    run, cancel = page.locator("#run-demo"), page.get_by_role("button", name="Cancel demo")
    again = page.get_by_role("button", name="Run it again")
    expect(run).to_have_text("Run the demo")
    expect(again).to_be_hidden()
    run.click()
    expect(cancel).to_be_visible()
    expect(run).to_be_hidden()
    cancel.click()
    expect(run).to_have_text("Run again")
    expect(page.locator(".stage.s-stopped")).to_have_count(6)
    run.click()
    expect(again).to_be_visible()
    page.get_by_role("button", name="No", exact=True).click()
    expect(again).to_be_hidden()
    assert len(states(server)) == 6
    run.click()
    again.click()
    expect(cancel).to_be_visible()
    expect(again).to_be_hidden()
    cancel.click()
    expect(run).to_be_visible()
    assert len(states(server)) == 12


def test_the_results_stay_while_another_demo_is_under_way(still_server, open_page):
    page = open_page(still_server.url)
    line = page.locator("#guide .line")
    expect(line).to_contain_text("your adapter")
    page.get_by_role("button", name="Cancel demo").click()
    expect(line).to_contain_text("See patches")
    page.locator("#run-demo").click()
    page.get_by_role("button", name="Run it again").click()
    expect(line).to_contain_text("in the previous demo")
    expect(line).to_contain_text("your adapter")


def test_the_guide_is_a_line_above_other_pages(server, open_page):
    page = open_page(server.url)
    about = page.get_by_text("Repair Studio turns bug fixes")
    expect(about).to_be_visible()
    tab(page, "Train").locator(".memory").wait_for()
    expect(about).to_be_hidden()
    expect(page.get_by_role("button", name="Run the demo")).to_be_visible()


def test_a_link_shows_its_page_and_not_the_guide_until_it_is_asked_for(still_server, open_page):
    shared = open_page(f"{still_server.url}/?run=2")
    expect(shared.locator(".strip").filter(visible=True)).to_contain_text("repair-lora")
    expect(shared.locator("#guide")).to_be_hidden()
    shared.get_by_role("button", name="Guide").click()
    expect(shared.locator("#guide")).to_be_visible()
    shared.reload()
    expect(shared.locator("#guide")).to_be_visible()


def test_a_bug_is_found_by_any_part_of_its_name_kind_or_language(still_server, open_page):
    panel = drawn_tab(open_page(still_server.url), "Chat")
    expect(chosen_bug(panel)).to_have_value(re.compile(f"^{FIRST}"))
    for typed, wanted in (("clock", CLOCK), ("off by one", "off by one"), ("PYTHON", "python"), ("cwe-78", CHAT_BUG)):
        chosen_bug(panel).click()
        chosen_bug(panel).press_sequentially(typed)
        expect(panel.get_by_role("option").first).to_contain_text(wanted)
        chosen_bug(panel).press("Tab")
        expect(chosen_bug(panel)).to_have_value(re.compile(f"^{FIRST}"))
    chosen_bug(panel).click()
    chosen_bug(panel).press_sequentially("clock")
    chosen_bug(panel).press("Enter")
    expect(chosen_bug(panel)).to_have_value(re.compile(f"^{CLOCK}"))
    expect(panel.get_by_text("clock_format.py")).to_be_visible()


def test_an_unknown_bug_is_refused_when_the_field_is_left(still_server, open_page):
    page = open_page(still_server.url)
    panel = drawn_tab(page, "Chat")
    chosen_bug(panel).click()
    chosen_bug(panel).press_sequentially("pocket/py-clock")
    field(panel, "Your message").click()
    expect(page.get_by_text(re.compile(f"There is no bug .*Similar: .*{CLOCK}.*{FIRST} stays chosen"))).to_be_visible()
    expect(chosen_bug(panel)).to_have_value(re.compile(f"^{FIRST}"))
    chosen_bug(panel).click()
    chosen_bug(panel).press_sequentially(CLOCK)  # typed in full
    field(panel, "Your message").click()
    expect(chosen_bug(panel)).to_have_value(re.compile(f"^{CLOCK}"))


def test_a_hint_belongs_to_its_bug(still_server, open_page):
    panel = drawn_tab(open_page(still_server.url), "Chat")
    message = field(panel, "Your message")

    def choose(typed):
        chosen_bug(panel).click()
        chosen_bug(panel).press_sequentially(typed)
        chosen_bug(panel).press("Enter")

    message.fill("quote the words")
    choose("clock")
    expect(message).to_have_value("")
    message.fill("count from zero")
    choose("stock-check")
    expect(message).to_have_value("quote the words")
    choose("clock")
    expect(message).to_have_value("count from zero")


def test_a_conversation_is_open_again_after_a_reload_and_until_another_bug_is_chosen(still_server, open_page):
    page = open_page(f"{still_server.url}/?chat=1")
    panel = page.get_by_role("tabpanel").filter(visible=True)
    expect(panel.locator("pre", has_text="Please repair gcd.")).to_be_visible()
    expect(chosen_bug(panel)).to_have_value(re.compile(f"^{CHAT_BUG}"))
    chosen_bug(panel).click()  # looked at and left
    field(panel, "Your message").click()
    tab(page, "Train")
    page.wait_for_url(re.compile("tab=train"))
    tab(page, "Chat")
    page.wait_for_url(re.compile(r"\?chat=1$"))
    page.reload()
    expect(panel.locator("pre", has_text="Please repair gcd.")).to_be_visible()
    chosen_bug(panel).click()
    chosen_bug(panel).press_sequentially("clock")
    chosen_bug(panel).press("Enter")
    expect(panel.get_by_text("A new conversation")).to_be_visible()
    page.wait_for_url(re.compile("tab=chat"))


@pytest.mark.parametrize("address", ["?chat=99", "?run=99", "?patches=99"])
def test_an_address_of_something_that_is_not_here_says_so_and_opens_its_page(still_server, open_page, address):
    page = open_page(f"{still_server.url}/{address}")
    expect(page.get_by_text(re.compile("there is no (run|conversation) 99"))).to_be_visible()
    expect(page.get_by_role("tabpanel").filter(visible=True).get_by_role("alert")).to_have_count(0)


def test_a_benchmark_without_its_folder_is_refused_and_the_form_stays_open(still_server, open_page):
    page = open_page(still_server.url)
    panel = drawn_tab(page, "Patches")
    before = len(states(still_server))
    panel.get_by_role("button", name="New benchmark run").click()
    panel.get_by_role("combobox", name="Benchmark", exact=True).select_option("quixbugs-python")
    field(panel, "Folder").wait_for()
    panel.get_by_role("button", name="Start benchmark").click()
    expect(panel.get_by_role("alert").filter(has_text="no folder is named")).to_be_visible()
    expect(panel.get_by_role("button", name="Start benchmark")).to_be_visible()
    assert len(states(still_server)) == before


def test_a_training_is_stopped_with_its_work_saved_or_now(still_server, open_page):
    page = open_page(f"{still_server.url}/?run=7")
    panel = drawn_tab(page, "Monitor")
    save, now = (panel.get_by_role("button", name=name) for name in ("Stop and save", "Stop now"))
    save.click()
    expect(panel.locator(".strip")).to_contain_text("stopping")
    expect(panel.locator(".strip")).to_contain_text("checkpoint")
    expect(save).to_be_disabled()
    expect(now).to_be_enabled()
    panel.get_by_role("button", name=re.compile("^pocket-qlora")).click()
    expect(save).to_be_hidden()
    panel.get_by_role("button", name="Stop", exact=True).click()
    expect(panel.locator(".strip")).to_contain_text("stopped")
    assert states(still_server)[6:8] == ["stopping", "stopped"]


def test_a_button_acts_on_the_run_that_is_shown_whatever_has_started_since(still_server, open_page):
    """Nothing is chosen, so the page shows what trains; then something newer trains, and the page does not know yet."""
    page = open_page(still_server.url)
    panel = drawn_tab(page, "Monitor")
    expect(panel.locator(".strip")).to_contain_text("run 7")
    page.route("**/studio/**", lambda route: None)  # no look is answered from now on
    with sqlite3.connect(still_server.home / "studio.db") as database:
        database.execute("UPDATE run SET kind = 'train', state = 'running' WHERE id = 8")
    panel.get_by_role("button", name="Stop and save").click()
    wait_for(lambda: "stopping" in states(still_server))
    assert states(still_server)[6:8] == ["stopping", "running"]
    panel.get_by_role("button", name="Stop now").click()
    wait_for(lambda: stopped_now(still_server))
    assert stopped_now(still_server) == [7]


def test_resume_goes_on_with_the_run_that_is_shown(still_server, open_page):
    with sqlite3.connect(still_server.home / "studio.db") as database:
        database.execute("UPDATE run SET state = 'failed' WHERE state IN ('running', 'queued')")
    page = open_page(still_server.url)
    panel = drawn_tab(page, "Monitor")
    expect(panel.locator(".strip")).to_contain_text("run 9")
    page.route("**/studio/**", lambda route: None)
    with sqlite3.connect(still_server.home / "studio.db") as database:
        database.execute("UPDATE run SET state = 'running' WHERE id = 7")
    panel.get_by_role("button", name="Resume", exact=True).click()
    wait_for(lambda: "queued" in states(still_server))
    assert states(still_server)[6:9] == ["running", "failed", "queued"]


BLANK = """() => [...document.querySelectorAll('.panel, .chart')].filter((card) =>
    card.checkVisibility() && !card.innerText.trim()).length"""


def test_no_card_is_blank_before_the_first_run(server, open_page):
    page = open_page(server.url)
    for name in TABS:
        tab(page, name).locator(".empty, .memory, .code").first.wait_for()
        page.wait_for_function(f"() => ({BLANK})() === 0")


def test_no_card_is_blank_after_a_run_that_failed(still_server, open_page):
    page = open_page(still_server.url)
    panel = drawn_tab(page, "Monitor")
    panel.get_by_role("button", name=re.compile("^too-large")).click()
    expect(panel.locator(".strip")).to_contain_text("rank 1024 does not fit")
    expect(panel.locator("#charts")).to_be_hidden()
    page.wait_for_function(f"() => ({BLANK})() === 0")


def test_a_patch_is_never_called_unchosen_while_it_loads(still_server, open_page):
    page = open_page(f"{still_server.url}/?patches=5")
    page.evaluate("""() => {
        window.said = [];
        new MutationObserver(() => {
            const title = document.querySelector('.panel .empty h3')?.textContent;
            if (title && window.said.at(-1) !== title) window.said.push(title);
        }).observe(document.body, {childList: true, subtree: true, characterData: true});
    }""")
    panel = drawn_tab(page, "Patches")
    panel.locator(".verdict-table button.cell").nth(4).click()
    panel.get_by_text("Test log").wait_for()
    page.evaluate("window.said = []")
    for place in (5, 6):
        heading = panel.locator(".patch h3").inner_text()
        panel.locator(".verdict-table button.cell").nth(place).click()
        expect(panel.locator(".patch h3")).not_to_have_text(heading)
    assert page.evaluate("window.said") == []


def test_a_tab_that_was_clicked_stays_open_whatever_is_answered_later(still_server, open_page):
    page = open_page(still_server.url)
    panel = drawn_tab(page, "Monitor")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 500, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", slow)
    panel.get_by_role("button", name=re.compile("^too-large")).click()
    tab(page, "Merge").locator(".parity").wait_for()
    page.wait_for_function("[...document.querySelectorAll('input[type=number]')].some((field) => field.value === '6')")
    asked_again(page)
    expect(page.get_by_role("tab", name="Merge")).to_have_attribute("aria-selected", "true")
