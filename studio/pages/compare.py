"""Compare: benchmark runs side by side, which bugs each repairs, and the patches of one bug beside each other."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any

import gradio as gr

from engine.control.compare import GROUPINGS, MOST_RUNS, Compared
from engine.control.patches import Detail
from engine.control.side_by_side import ComparedBug
from engine.control.views import RunView
from engine.errors import UserError
from studio.addresses import link
from studio.charts import plausible_by_rank
from studio.checked import chosen_number, number_of
from studio.clickable import GONE, click_value, clickable, hidden_field, pager, plain, revealed, show_or_hide
from studio.guard import on
from studio.html import comparison as html
from studio.html.basics import empty
from studio.page import Frame
from studio.pages.patches import run_label
from studio.plotted import plotted

SIZE = 8  # bugs on one page of the table
WORDS = {
    "kind": "kind of fault",
    "cwe": "CWE",
    "language": "language",
    "lines": "length of the fault",
    "project": "project",
}
ALL = 0  # candidates: as many as all runs have


def numbers(text: str) -> list[int]:
    """The runs that an address names, "5,6", each once; what is no number is left out."""
    found = [number for part in text.split(",") if (number := number_of(part.strip()))]
    return list(dict.fromkeys(found))[:MOST_RUNS]


def fitting(bugs: Sequence[ComparedBug], pattern: str, search: str) -> list[ComparedBug]:
    """The bugs whose id, kind, CWE, language or project has this text, repaired by exactly the runs marked "1"."""
    wanted = search.strip().lower()
    return [
        bug
        for bug in bugs
        if (not pattern or _pattern(bug) == pattern)
        and (
            not wanted
            or any(wanted in text.lower() for text in (bug.bug_id, bug.kind, bug.cwe, bug.language, bug.project))
        )
    ]


def _pattern(bug: ComparedBug) -> str:
    return "".join("01"[bool(hit)] for hit in bug.repaired) if bug.is_common else ""


def newest_pair(runs: Sequence[RunView]) -> list[int]:
    """What to compare when nothing is chosen: the two newest finished runs on the same benchmark; else nothing."""
    finished = [run for run in runs if run.state == "done"]
    for place, run in enumerate(finished):
        for other in finished[place + 1 :]:
            if run.spec.get("benchmark") == other.spec.get("benchmark"):
                return [other.id, run.id]
    return []


def build(frame: Frame) -> None:
    """The page."""
    workspace, live = frame.workspace, frame.live
    wanted, opened, pattern, bug = (hidden_field("") for _ in range(4))
    page = hidden_field(1)
    with gr.Row(elem_classes=["run-row", "compare-row", GONE]) as choosing:
        picker = gr.Dropdown([], label="Runs to compare", multiselect=True, max_choices=MOST_RUNS, interactive=True,
                             elem_id="compared-runs", show_label=False, scale=1, min_width=280)  # fmt: skip
        at = gr.Dropdown([("all candidates", ALL)], value=ALL, label="Candidates that count", show_label=False,
                         filterable=False, interactive=True, scale=0, min_width=180)  # fmt: skip
    state = plain()
    with gr.Row(elem_classes=["page", GONE]) as results:
        with gr.Column(scale=6, min_width=320, variant="panel"):
            figures = plain()
            overlap = clickable()
            curves = plotted()
            by = gr.Dropdown([(WORDS[each], each) for each in GROUPINGS], value=GROUPINGS[0], label="Bugs by",
                             filterable=False)  # fmt: skip
            groups = plain()
        with gr.Column(scale=7, min_width=320, variant="panel", elem_classes="table-panel"):
            with gr.Row(elem_classes="filters"):
                search = gr.Textbox("", label="Search bugs", placeholder="id, kind, CWE, project", max_lines=1,
                                    show_label=False, min_width=160)  # fmt: skip
                shown = plain(elem_classes="shown")
                clear = gr.Button("Show all", size="sm", min_width=90, scale=0)
            table = clickable()
            with gr.Row(elem_classes="pager"):
                before = gr.Button("Previous page", size="sm", min_width=100)
                place = plain(elem_classes="place")
                after = gr.Button("Next page", size="sm", min_width=100)
            beside = revealed()

    @lru_cache(maxsize=4)  # several parts draw the same comparison, again and again while other runs are at work
    def compared_once(_: Hashable, chosen: tuple[int, ...], k: int | None) -> Compared:
        return workspace.compare.runs(chosen, k)

    def known_runs(text: str, held: str) -> tuple[Sequence[RunView], list[int]]:
        """All runs to choose from, and those to compare: what is chosen; else what is shown stays."""
        chosen, shown_now = numbers(text), numbers(held)
        runs = workspace.patches.runs(chosen or shown_now)
        return runs, chosen or (shown_now if len(shown_now) > 1 else newest_pair(runs))

    def compared(text: str, held: str, k: Any) -> Compared:
        runs, found = known_runs(text, held)
        chosen = tuple(found)
        met = [run for run in runs if run.id in chosen]
        grows = any(not run.has_ended for run in met) or len(met) < len(chosen)
        state = (workspace.stamp() if grows else "", *((run.id, run.started_at, run.ended_at) for run in met))
        return compared_once(state, chosen, chosen_number(k) or None)

    def draw_runs(text: str, held: str, at_most: Any) -> list[Any]:
        runs, chosen = known_runs(text, held)
        known = [run.id for run in runs]
        choices = gr.update(
            choices=[(run_label(run), run.id) for run in runs], value=[each for each in chosen if each in known]
        )
        asked_for = {workspace.patches.candidates(run.id) for run in runs if run.id in chosen}
        most = min(asked_for, default=1)
        every = "all candidates" if len(asked_for) < 2 else f"first {most}, which all runs have"
        k = chosen_number(at_most) if chosen_number(at_most) < most else ALL
        ks = gr.update(choices=[(every, ALL), *((f"first {n} candidates", n) for n in range(1, most))],
                       value=k)  # fmt: skip
        row = show_or_hide(len(runs) > 1, "run-row", "compare-row")
        try:
            compared(text, held, k)
        except UserError as error:
            said = empty("Nothing to compare", f"{_capital(str(error))}.") if len(runs) > 1 else _nothing_yet(len(runs))
            return [choices, ks, text, said, show_or_hide(False, "page"), row]
        return [choices, ks, ",".join(map(str, chosen)), "", show_or_hide(True, "page"), row]

    def draw_figures(text: str, held: str, k: Any, group: str) -> list[Any]:
        try:
            found = compared(text, held, k)
        except UserError:  # `draw_runs` says it
            return ["", "", "", gr.skip()]
        group = group if group in found.groupings else GROUPINGS[0]
        return [
            html.runs_table(found) + html.paper_link(found),
            plausible_by_rank(
                {
                    f"{letter}  {run.name}": run.plausible_at
                    for letter, run in zip(html.LETTERS, found.runs, strict=False)
                },
                [bool(run.strategy) for run in found.runs],
            ),
            html.groups_table(found, found.groups(group)),
            gr.update(choices=[(WORDS[each], each) for each in found.groupings], value=group),
        ]

    def draw_overlap(text: str, held: str, k: Any, which: str) -> list[str]:
        try:
            return [html.patterns(compared(text, held, k), which)]
        except UserError:
            return [""]

    def draw_bugs(text: str, held: str, k: Any, which: str, words: str, number: int, chosen: str) -> list[Any]:
        try:
            found = compared(text, held, k)
        except UserError:
            return ["", "", "", gr.skip(), *pager(1, 1)]
        bugs = sorted(fitting(found.bugs, which, words), key=lambda each: not each.is_common)
        pages = max(1, -(-len(bugs) // SIZE))
        number = min(max(number, 1), pages)
        part = bugs[(number - 1) * SIZE : number * SIZE]
        cells = workspace.compare.cells([run.run for run in found.runs], [each.bug_id for each in part], html.CELLS)
        said = f"repaired by {_named(which)} only" if which else "all bugs"
        is_part = gr.update(interactive=bool(which or words.strip()))
        where = f"page {number} of {pages}, {len(bugs)} bugs"
        return [html.bugs_table(part, cells, found, chosen), where, said, is_part, *pager(number, pages)]

    def draw_beside(text: str, held: str, k: Any, chosen: str) -> list[str]:
        if not chosen:
            return [empty("No bug chosen", "Click the name of a bug: the patches of all runs appear side by side.")]
        try:
            found = compared(text, held, k)
        except UserError:
            return [""]
        met = next((each for each in found.bugs if each.bug_id == chosen), None)
        if met is None:
            return [empty("No such bug", f"None of these runs has a bug called {chosen}.")]
        patches = [_patch(run.run, chosen, rank or 1) for run, rank in zip(found.runs, met.first, strict=True)]
        return [html.side_by_side(patches, found, chosen)]

    def _patch(run: int, bug_id: str, rank: int) -> Detail | None:
        try:
            return workspace.patches.detail(run, bug_id, "model", rank)
        except UserError:  # this run has no candidate for it
            return None

    def choose_runs(chosen: list[Any]) -> list[Any]:
        return [",".join(str(number) for number in chosen if isinstance(number, int)), "", "", 1]

    def choose_pattern(event: gr.EventData) -> list[Any]:
        chosen = click_value(event)
        return [chosen if set(chosen) <= set("01") and len(chosen) <= MOST_RUNS else "", 1]

    def choose_bug(event: gr.EventData) -> str:
        return click_value(event)

    def show_all() -> list[Any]:
        return ["", "", 1]

    def first_page() -> int:
        return 1

    def page_back(number: int) -> int:
        return max(1, number - 1)

    def page_on(number: int, text: str, held: str, k: Any, which: str, words: str) -> int:
        pages = -(-len(fitting(compared(text, held, k).bugs, which, words)) // SIZE)
        return min(number + 1, max(1, pages))

    live.show(
        draw_runs, [wanted, opened, at], [picker, at, opened, state, results, choosing], also=[wanted.change, at.change]
    )
    live.show(draw_figures, [wanted, opened, at, by], [figures, curves, groups, by], also=[by.change])
    live.show(draw_overlap, [wanted, opened, at, pattern], [overlap])
    live.show(draw_bugs, [wanted, opened, at, pattern, search, page, bug], [table, place, shown, clear, before, after],
              also=[part.change for part in (pattern, search, page, bug)])  # fmt: skip
    live.show(draw_beside, [wanted, opened, at, bug], [beside], ticks=False)
    on(picker.input, choose_runs, picker, [wanted, pattern, bug, page], name="compare_choose_runs")
    on(overlap.select, choose_pattern, None, [pattern, page], name="compare_choose_pattern")
    on(table.select, choose_bug, None, bug, name="compare_choose_bug")
    on(search.input, first_page, None, page, name="compare_first_page")
    on(clear.click, show_all, None, [pattern, search, page], name="compare_show_all")
    on(before.click, page_back, page, page, name="compare_page_back")
    on(after.click, page_on, [page, wanted, opened, at, pattern, search], page, name="compare_page_on")

    def check_runs(text: str) -> None:
        """Raises UserError where none of the runs is there; if only some are, the page says what is wrong with them."""
        for place, number in enumerate(chosen := numbers(text), start=1):
            try:
                workspace.compare.benchmark_run(number)
            except UserError:
                if place == len(chosen):
                    raise
            else:
                return

    frame.keep("compare", wanted, shown=opened, check=check_runs, opens=True)
    frame.keep("k", at)
    frame.keep("repaired", pattern)
    frame.keep("bug", bug)
    frame.keep("q", search)


def _nothing_yet(runs: int) -> str:
    text = (
        "Two benchmark runs are shown here side by side: which bugs each of them repairs, and the patches of both. "
        f"{'One more is needed' if runs else 'There is none yet'}."
    )
    return empty("Nothing to compare yet", text, ("Run a benchmark", link(tab="patches")))


def _named(pattern: str) -> str:
    return " and ".join(letter for letter, hit in zip(html.LETTERS, pattern, strict=False) if hit == "1") or "no run"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
