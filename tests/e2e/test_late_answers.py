"""What a person or an address has chosen stays chosen, whatever is answered late and in which order."""

from __future__ import annotations

import re
import sqlite3

import pytest
from filled import CHAT_BUG
from pages import asked_again, field, tab

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
expect = sync_api.expect

NEWEST, CHOSEN = "CON", "stdlib-faults"
CLOCK = "pocket/py-clock-format"


class Held:
    """Answers that a page does not get before they are released, by what their request holds."""

    def __init__(self, page, address, wanted=""):
        self.page, self.wanted, self.routes, self.is_open = page, wanted, [], False
        page.route(address, self.take)

    def take(self, route):
        if self.is_open or self.wanted not in (route.request.post_data or ""):
            route.continue_()
        else:
            self.routes.append((route, route.fetch()))  # it is answered now, and told later

    def wait_for_one(self):
        for _ in range(600):
            if self.routes:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("nothing was asked for")

    def release(self):
        self.is_open = True
        for route, answer in self.routes:
            route.fulfill(response=answer)
        self.routes.clear()


@pytest.fixture
def two_datasets(still_server):
    """A used home in which another dataset is newer than the one that is asked for."""
    with sqlite3.connect(still_server.home / "studio.db") as database:
        database.execute(
            "INSERT INTO dataset (name, run_id, folder, train_rows, valid_rows, hash, report, created_at) "
            "SELECT ?, run_id, folder, train_rows, valid_rows, hash, report, created_at + 100 FROM dataset",
            (NEWEST,),
        )
    return still_server


def shown(page):
    return page.get_by_role("tabpanel").filter(visible=True)


def dataset(page):
    return shown(page).get_by_role("combobox", name="Dataset", exact=True)


def call(server, name):
    """What stands in the request of one handler."""
    return f'"fn_index":{server.functions()[name]},'


@pytest.mark.parametrize("address", ["?tab=train&again=2", f"?tab=train&use=dataset:{CHOSEN}"])
def test_a_default_that_comes_after_what_the_address_asks_for_is_not_taken(two_datasets, open_page, address):
    page = open_page()
    looks = Held(page, "**/studio/look/train")
    fills = Held(page, "**/queue/join*", call(two_datasets, "train_fill"))
    page.goto(f"{two_datasets.url}/{address}")
    looks.wait_for_one()  # asked for while nothing is filled in
    fills.release()
    expect(dataset(page)).to_have_value(CHOSEN)
    looks.release()
    expect(shown(page).locator(".memory")).to_be_visible()
    asked_again(page)
    expect(dataset(page)).to_have_value(CHOSEN)
    expect(shown(page).get_by_text("Changed: Dataset")).to_have_count(0)


@pytest.mark.parametrize("address", ["?tab=train&again=2", f"?tab=train&use=dataset:{CHOSEN}"])
def test_what_the_address_asks_for_is_taken_after_a_default(two_datasets, open_page, address):
    page = open_page()
    fills = Held(page, "**/queue/join*", call(two_datasets, "train_fill"))
    page.goto(f"{two_datasets.url}/{address}")
    expect(dataset(page)).to_have_value(NEWEST)
    fills.release()
    expect(dataset(page)).to_have_value(CHOSEN)
    asked_again(page)
    expect(dataset(page)).to_have_value(CHOSEN)


def test_a_run_is_asked_for_again_from_a_form_that_was_not_drawn_yet(two_datasets, open_page):
    page = open_page(f"{two_datasets.url}/?run=2")
    looks = Held(page, "**/studio/look/train")
    shown(page).get_by_role("link", name="Run again with changes").click()
    expect(dataset(page)).to_have_value(CHOSEN)
    expect(field(shown(page), "Name")).to_have_value("repair-lora-2")
    looks.release()
    expect(shown(page).get_by_text("Nothing is changed yet.")).to_be_visible()
    asked_again(page)
    expect(dataset(page)).to_have_value(CHOSEN)


@pytest.mark.parametrize("late", ["look", "linked"])
def test_the_bug_of_an_address_stays(still_server, open_page, late):
    page = open_page()
    held = (
        Held(page, "**/studio/look/chat")
        if late == "look"
        else Held(page, "**/queue/join*", call(still_server, "chat_take_bug"))
    )
    page.goto(f"{still_server.url}/?tab=chat&bug={CLOCK}")
    bug = shown(page).get_by_role("combobox", name="Bug", exact=True)
    expect(bug).to_have_value(re.compile(f"^{CLOCK if late == 'look' else 'pocket/py-stock-check'}"))
    held.release()
    expect(shown(page).get_by_text("clock_format.py")).to_be_visible()
    asked_again(page, 3)
    expect(bug).to_have_value(re.compile(f"^{CLOCK}"))
    page.wait_for_url(f"**/?tab=chat&bug={CLOCK}")


def test_a_bug_that_is_chosen_while_the_page_is_drawn_stays(still_server, open_page):
    page = open_page(f"{still_server.url}/?chat=1")
    panel = shown(page)
    bug = panel.get_by_role("combobox", name="Bug", exact=True)
    expect(bug).to_have_value(re.compile(f"^{CHAT_BUG}"))
    asked_again(page)
    looks = Held(page, "**/studio/look/chat")
    with sqlite3.connect(still_server.home / "studio.db") as database:
        database.execute("UPDATE conversation SET model = 'starter'")  # so that the fields are drawn anew
    page.wait_for_timeout(1500)
    bug.click()
    bug.press_sequentially("clock")
    bug.press("Enter")
    looks.release()
    expect(panel.get_by_text("clock_format.py")).to_be_visible()
    asked_again(page, 2)
    expect(bug).to_have_value(re.compile(f"^{CLOCK}"))


def test_a_run_that_is_picked_while_the_page_is_drawn_stays(still_server, open_page):
    page = open_page(f"{still_server.url}/?patches=5")
    panel = shown(page)
    panel.locator(".verdict-table").wait_for()
    asked_again(page)
    picks = Held(page, "**/queue/join*", call(still_server, "patches_another_run"))
    panel.get_by_role("combobox", name="Benchmark run").click()
    panel.get_by_role("option", name=re.compile("^run 4 ")).click()
    with sqlite3.connect(still_server.home / "studio.db") as database:
        database.execute("UPDATE run SET progress_text = 'another' WHERE id = 8")
    asked_again(page, 3)
    picks.release()
    page.wait_for_url("**/?patches=4")
    tab(page, "Merge")
    page.wait_for_url("**/?tab=merge")


def test_a_patch_that_is_read_stays_when_another_benchmark_starts(still_server, open_page):
    page = open_page(still_server.url)
    tab(page, "Patches")
    panel = shown(page)
    panel.locator(".verdict-table button.cell").nth(4).click()
    panel.get_by_text("Test log").wait_for()
    heading = panel.locator(".patch h3").text_content()
    with sqlite3.connect(still_server.home / "studio.db") as database:
        database.execute("UPDATE run SET state = 'running', started_at = created_at WHERE id = 8")
    expect(panel.get_by_role("link", name="Show it")).to_be_visible()
    expect(panel.locator(".patch h3")).to_have_text(heading)
    expect(panel.get_by_role("alert")).to_have_count(0)
    assert "patches=5" in page.url
    panel.get_by_role("link", name="Show it").click()
    page.wait_for_url("**/?patches=8")


def test_a_form_that_a_link_opens_stands_alone_and_so_does_its_address(still_server, open_page):
    page = open_page(f"{still_server.url}/?run=4")
    shown(page).get_by_role("link", name="Run again with changes").click()
    panel = shown(page)
    expect(panel.get_by_role("button", name="Start benchmark")).to_be_visible()
    expect(panel.locator(".verdict-table")).to_be_hidden()
    expect(panel.locator("#benchmark-run")).to_be_hidden()
    page.wait_for_url("**/?tab=patches&again=4")
    panel.get_by_role("button", name="Close").click()
    expect(panel.locator(".verdict-table")).to_be_visible()
    page.wait_for_url("**/?patches=5")


@pytest.mark.parametrize(("address", "name"), [("?run=2", "Monitor"), ("?tab=train&again=2", "Train")])
def test_an_address_opens_its_tab_at_once_and_shows_nothing_before_it_is_filled_in(
    still_server, open_page, address, name
):
    page = open_page()
    arrives = Held(page, "**/queue/join*", call(still_server, "app_open_first"))
    page.goto(f"{still_server.url}/{address}")
    arrives.wait_for_one()
    expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tab", selected=True)).to_have_count(1)
    expect(page.get_by_role("tabpanel").filter(visible=True)).to_have_count(0)
    page.wait_for_timeout(9000)
    expect(page.get_by_role("tabpanel").filter(visible=True)).to_have_count(0)
    arrives.release()
    expect(page.get_by_role("tabpanel").filter(visible=True)).to_have_count(1)
    page.wait_for_url(f"**/{address}")
