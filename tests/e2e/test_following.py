"""An open page is updated in place, at no cost while nothing changes, and across a restart of the server."""

from __future__ import annotations

import math
import re
import sqlite3
import time

import pytest
from pages import asked_again, drawn_tab, field, tab

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

TRAINED, TRAINING = 2, 7  # runs of the used home
PERIODS = """(number) => new Promise((done) => {  // as many periods of the page's own timer
    const timer = setInterval(() => { if (--number <= 0) { clearInterval(timer); done(); } }, 1000);
})"""
AWAY = "ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|AbortError|errored out"


class Home:
    """Changes that a worker would make, written straight into the database of a home."""

    def __init__(self, folder):
        self.database = sqlite3.connect(folder / "studio.db", isolation_level=None, timeout=30)

    def point(self, run, step, **values):
        with self.database:
            for name, value in values.items():
                self.database.execute(
                    "INSERT INTO metric (run_id, seq, step, name, value, time) VALUES (?, ?, ?, ?, ?, ?)",
                    (run, 10**6 + step, step, name, value, time.time()),
                )

    def curve(self, run, name, first, last):
        """A point a step, in one statement."""
        self.database.execute(
            "WITH RECURSIVE steps(step) AS (SELECT ? UNION ALL SELECT step + 1 FROM steps WHERE step < ?) "
            "INSERT INTO metric (run_id, seq, step, name, value, time) "
            "SELECT ?, step, step, ?, (step * 7919 % 1000) / 1000.0, 0 FROM steps",
            (first, last, run, name),
        )

    def progress(self, run, text):
        self.database.execute("UPDATE run SET progress_text = ? WHERE id = ?", (text, run))


@pytest.fixture
def changes(still_server):
    made = Home(still_server.home)
    yield made
    made.database.close()


def last_step(page):
    return page.evaluate("document.querySelector('.js-plotly-plot').data[0].x.at(-1)")


def drag(page, chart, start, end, down=0):
    """Drag over a part of a chart's width, and `down` some pixels."""
    box = chart.locator(".nsewdrag").first.bounding_box()
    left, right = (box["x"] + share * box["width"] for share in (start, end))
    page.mouse.move(left, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(right, box["y"] + 30 + down, steps=5)
    page.mouse.up()


def in_sight(page, number):
    """The ends of a chart's step axis, and the steps between them that are drawn of its first curve."""
    return page.evaluate(
        """(number) => {
            const {data, layout} = document.querySelectorAll('.js-plotly-plot')[number], [from, to] = layout.xaxis.range;
            return [from, to, data[0].x.filter((step) => from <= step && step <= to)];
        }""",
        number,
    )


def look_now(page):
    """The page asks at once instead of within a second."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def addresses(page):
    """Collects the addresses that are asked for from now on."""
    asked = []
    page.on("request", lambda request: asked.append(request.url.partition("?")[0].rpartition(":")[2].partition("/")[2]))
    return asked


def test_nothing_but_the_stamp_is_asked_while_nothing_changes_and_nothing_when_hidden(still_server, open_page, changes):
    page = open_page(still_server.url)
    for name in ("Monitor", "Patches", "Chat"):
        drawn_tab(page, name)
        asked_again(page)  # the last look, for what came while it was drawn
        asked = addresses(page)
        asked_again(page)
        assert set(asked) == {"studio/changes"}, name
    page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
    page.evaluate(PERIODS, 1)  # what was asked before has been answered
    asked = addresses(page)
    page.evaluate(PERIODS, 2)
    assert asked == []
    page.evaluate("delete document.hidden")
    asked_again(page)


@pytest.mark.slow
def test_300_redraws_of_the_charts_leave_the_page_as_small_as_it_was(still_server, open_page, changes):
    page = open_page(f"{still_server.url}/?run={TRAINED}")
    page.locator(".js-plotly-plot").nth(3).wait_for()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def counted():
        session.send("HeapProfiler.collectGarbage")
        metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        return [metrics[name] for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners")]

    def redraw(steps):
        for step in steps:
            changes.point(
                TRAINED, step, loss=1 + step % 7, learning_rate=1e-4, tokens_per_s=2000 + step, memory_bytes=2e9
            )
            look_now(page)
            page.wait_for_function(f"document.querySelector('.js-plotly-plot').data[0].x.at(-1) === {step}")

    redraw(range(1001, 1011))
    before = counted()
    redraw(range(1011, 1311))
    heap, nodes, listeners = (now / was for now, was in zip(counted(), before, strict=True))
    assert heap < 1.2, heap
    assert nodes < 1.1, nodes
    assert listeners < 1.1, listeners


def test_zoom_and_hidden_curves_stay_while_the_charts_grow(still_server, open_page, changes):
    page = open_page(f"{still_server.url}/?run={TRAINED}")
    page.locator(".js-plotly-plot").nth(3).wait_for()
    chart = page.locator(".js-plotly-plot").first
    chart.locator(".legendtoggle").nth(1).click()
    page.wait_for_function("document.querySelector('.js-plotly-plot')._fullData[1].visible === 'legendonly'")
    ranges = """['x', 'y'].map((axis) =>
        document.querySelector('.js-plotly-plot').layout[axis + 'axis'].range.map((end) => end.toFixed(4)))"""
    whole = page.evaluate(ranges)
    drag(page, chart, 0.25, 0.5, down=50)
    page.wait_for_function("document.querySelector('.js-plotly-plot').data[0].x.length < 40")
    zoomed = page.evaluate(ranges)
    assert [axis for axis in (0, 1) if zoomed[axis] != whole[axis]] == [0, 1]
    changes.point(TRAINED, 45, loss=7.0, eval_loss=1.1)
    page.wait_for_function("document.querySelector('.js-plotly-plot').data[0].y.includes(7)")
    assert page.evaluate(ranges) == zoomed
    assert page.evaluate("document.querySelector('.js-plotly-plot')._fullData[1].visible") == "legendonly"


def test_zooming_a_chart_draws_each_step_that_is_in_sight_and_a_double_click_brings_back_all(
    still_server, open_page, changes
):
    for name in ("loss", "learning_rate"):
        changes.curve(TRAINED, name, 121, 4000)
    page = open_page(f"{still_server.url}/?run={TRAINED}")
    charts = page.locator(".js-plotly-plot")
    charts.nth(3).wait_for()
    first, last, steps = in_sight(page, 0)
    assert (first, last) == (0, 4000)
    assert 500 < len(steps) < 1010
    drag(page, charts.first, 0.5, 0.6)
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot')[1].layout.xaxis.range[0] > 1000")
    for number in (0, 1):
        first, last, drawn = in_sight(page, number)
        assert 300 < last - first < 500
        assert drawn == list(range(math.ceil(first), math.floor(last) + 1))
    changes.point(TRAINED, drawn[9], loss=7.0)
    page.wait_for_function("document.querySelector('.js-plotly-plot').data[0].y.includes(7)")
    assert in_sight(page, 0) == [first, last, sorted([*drawn, drawn[9]])]
    charts.nth(1).locator(".nsewdrag").first.dblclick()
    page.wait_for_function("document.querySelector('.js-plotly-plot').layout.xaxis.range[1] === 4000")
    assert len(in_sight(page, 0)[2]) == pytest.approx(len(steps), abs=2)
    sync_api.expect(page.get_by_role("alert")).to_have_count(0)


def test_a_refresh_moves_and_loses_nothing(still_server, open_page, changes):
    page = open_page(f"{still_server.url}/?run={TRAINING}", height=500)
    panel = drawn_tab(page, "Monitor")
    panel.locator(".js-plotly-plot").nth(3).wait_for()
    field(panel, "Search runs").fill("repair")
    sync_api.expect(panel.locator(".card")).to_have_count(4)
    panel.get_by_role("button", name="Settings of this run").click()
    panel.get_by_text("repair-studio train").wait_for()
    page.evaluate("""() => {
        scrollTo(0, 700);
        document.querySelector('.scroll').scrollTop = 60;
        getSelection().selectAllChildren(document.querySelector('.tail .log'));
    }""")
    state = """() => [scrollY, document.querySelector('.scroll').scrollTop, getSelection().toString().length,
        document.documentElement.scrollHeight]"""
    before = page.evaluate(state)
    assert before[2] > 50
    for number in range(3):
        changes.progress(TRAINING, f"step {40 + number} of 60")
        look_now(page)
        sync_api.expect(panel.locator(".strip")).to_contain_text(f"step {40 + number} of 60")
        assert page.evaluate(state) == before
    field(panel, "Search runs").press("End")  # a field that gets the focus without a click begins at its start
    field(panel, "Search runs").press_sequentially("-q")
    changes.progress(TRAINING, "step 50 of 60")
    sync_api.expect(panel.locator(".strip")).to_contain_text("step 50 of 60")
    sync_api.expect(field(panel, "Search runs")).to_be_focused()
    field(panel, "Search runs").press_sequentially("lora")
    sync_api.expect(field(panel, "Search runs")).to_have_value("repair-qlora")
    sync_api.expect(panel.locator(".card")).to_have_count(1)
    sync_api.expect(panel.get_by_text("repair-studio train")).to_be_visible()


def test_the_page_counts_the_seconds_of_what_is_at_work(still_server, open_page):
    page = open_page(f"{still_server.url}/?run={TRAINING}")
    clock = drawn_tab(page, "Monitor").locator(".strip time")
    sync_api.expect(clock).to_have_text(re.compile(r"^\d+ min \d\d s$"))
    for _ in range(10):  # what is chosen may be drawn once more after the page is shown
        asked, before = addresses(page), clock.inner_text()
        page.wait_for_function("(was) => document.querySelector('.strip time').textContent !== was", arg=before)
        if "studio/look/monitor" not in asked:
            return
    raise AssertionError("each second was asked for")


def test_a_page_goes_on_after_the_server_was_killed_and_started_again(still_server, open_page, changes):
    page = open_page(still_server.url, may=AWAY)
    panel = drawn_tab(page, "Patches")
    field(panel, "Search bugs").fill("csv")
    sync_api.expect(panel.locator(".verdict-table tbody tr")).to_have_count(1)
    still_server.process.kill()
    still_server.process.wait()
    sync_api.expect(page.get_by_text("The studio does not answer")).to_be_visible()
    still_server.start()
    sync_api.expect(page.get_by_text("The studio does not answer")).to_be_hidden()
    sync_api.expect(field(panel, "Search bugs")).to_have_value("csv")
    panel.locator(".verdict-table button.cell").nth(4).click()
    sync_api.expect(panel.get_by_text("Test log")).to_be_visible()
    panel = tab(page, "Monitor")
    changes.progress(TRAINING, "step 55 of 60")
    sync_api.expect(panel.locator(".strip")).to_contain_text("step 55 of 60")


def test_every_page_is_drawn_on_a_slow_line_and_when_tabs_are_clicked_in_a_hurry(still_server, open_page):
    quick = open_page(still_server.url)
    for name in ("Patches", "Train", "Merge"):
        drawn_tab(quick, name)  # the second time the table has as many rows as fit
    whole = {name: len(drawn_tab(quick, name).inner_text()) for name in ("Patches", "Train", "Merge")}
    page = open_page(still_server.url)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 200, "downloadThroughput": 500_000, "uploadThroughput": 500_000}
    session.send("Network.emulateNetworkConditions", slow)
    for name in ("Patches", "Monitor", "Chat", "Train", "Merge", "Datasets"):
        tab(page, name)
    for name, length in whole.items():
        panel = drawn_tab(page, name)
        page.wait_for_function("(n) => [...document.querySelectorAll('[role=tabpanel]')].find((each) => "
                               "each.checkVisibility()).innerText.length >= n", arg=length)  # fmt: skip
        assert panel.get_by_role("alert").count() == 0
