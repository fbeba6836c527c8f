"""Patches: run a model on a benchmark; shows the table of verdicts and any patch in full; exports all as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from engine.control.names import made_by
from engine.control.outcomes import unknown_rows
from engine.control.views import RunView
from engine.errors import UserError
from engine.specs import WITH_PATCHES
from studio.addresses import learning_from, link
from studio.charts import plausible_by_rank
from studio.checked import chosen_number
from studio.clickable import GONE, click_value, clickable, hidden_field, pager, plain, show_or_hide
from studio.forms.panel import Panel
from studio.guard import on
from studio.html import figures, patch_table
from studio.html import patch as patch_html
from studio.html.basics import doing, empty, esc, run_strip
from studio.html.memory import generation_line
from studio.importing import ImportForm
from studio.page import Frame
from studio.planning import PlanPart
from studio.plotted import plotted
from studio.reviewing import ReviewBar
from studio.shown_bugs import LANGUAGE_CHOICES, SHOW, SIZE, SORT, Shown

FIT = "() => window.studio.rows()"


def chosen_run(runs: Sequence[RunView], wanted: int) -> int | None:
    """The run to show: the wanted one; without it the newest that has started, else the newest."""
    known = [run.id for run in runs]
    started = [run.id for run in runs if run.started_at]
    return wanted if wanted in known else next(iter([*started, *known]), None)


def run_label(run: RunView) -> str:
    """The label of a benchmark run in the list: its number, which alone is its own, and then model and benchmark."""
    benchmark = (run.spec.get("benchmark") or {}).get("name", "")
    return f"run {run.id}  ·  {Path(made_by(run.spec) or 'check').name} on {benchmark}"


def build(frame: Frame) -> None:
    """The page."""
    workspace, live = frame.workspace, frame.live
    wanted, bug, rank, page, size = (
        hidden_field(0),
        hidden_field(""),
        hidden_field(""),
        hidden_field(1),
        hidden_field(SIZE),
    )
    opened = hidden_field(0)  # the run that is shown, as the address says it; 0 while a link has opened the form
    with gr.Row(elem_classes="run-row"):
        picker = gr.Dropdown([], label="Benchmark run", interactive=True, elem_id="benchmark-run", filterable=False,
                             show_label=False, scale=0, min_width=280)  # fmt: skip
        summary = plain(elem_classes="summary")
        new = gr.Button("New benchmark run", size="sm", min_width=136, scale=0)
        bring = gr.Button("Import", size="sm", min_width=60, scale=0)
    state = plain()
    with gr.Row(elem_classes=["page", "asking", GONE]) as form_row:
        with gr.Column(scale=5, min_width=320, variant="panel"):
            text = "The model writes patches for every bug; each patch is run against the bug's tests."
            panel = Panel(frame, "benchmark", "Run a benchmark", text, {"model": workspace.models.names},
                          folded=("representation",), recipe_apart=True)  # fmt: skip
            panel.place_complaint()
            with gr.Row(elem_classes="buttons"):
                start_button = gr.Button("Start benchmark", variant="primary")
                close = gr.Button("Close", min_width=80)
        with gr.Column(scale=5, min_width=320, variant="panel"):
            memory = plain(elem_id="benchmark-about")
            planning = PlanPart(frame, "benchmark")
            panel.place_recipe(is_open=True)
    with gr.Row(elem_classes=["page", "asking", GONE]) as import_row:
        with gr.Column(scale=5, min_width=320, variant="panel"):
            importing = ImportForm(frame)
            importing.panel.place_complaint()
            with gr.Row(elem_classes="buttons"):
                import_button = gr.Button("Import patches", variant="primary")
                leave = gr.Button("Close", min_width=80)
        with gr.Column(scale=5, min_width=320, variant="panel"):
            importing.panel.place_recipe(is_open=True)
    with gr.Row(elem_classes=["page", GONE]) as results:
        with gr.Column(scale=7, min_width=320, variant="panel", elem_classes="table-panel"):
            with gr.Row(elem_classes="filters"):
                show = gr.Radio(SHOW, value="all", label="Show", show_label=False, container=False, min_width=320)
                bare: dict[str, Any] = {"show_label": False, "min_width": 110}  # the label is read out only
                search = gr.Textbox("", label="Search bugs", placeholder="id, kind, CWE", max_lines=1, **bare)
                language = gr.Dropdown(LANGUAGE_CHOICES, value="", label="Language", filterable=False, **bare)
                sort = gr.Dropdown(SORT, value="bug", label="Sort by", filterable=False, **bare)
            table = clickable(fits=True, elem_id="patch-table")
            with gr.Row(elem_classes="pager"):
                before = gr.Button("Previous page", size="sm", min_width=100)
                place = plain(elem_classes="place")
                after = gr.Button("Next page", size="sm", min_width=100)
                exports = plain(elem_classes="exports")
        with gr.Column(scale=5, min_width=320, variant="panel", elem_classes="sheet"):
            curve = plotted()
            patch = clickable()
            reviewing = ReviewBar(frame)

    def form_shown(is_open: bool) -> dict[str, Any]:
        """While the form is open nothing else is in sight on the page: see .asking in style.css."""
        return show_or_hide(is_open, "page", "asking")

    def start(spec: Any) -> list[Any]:
        run = panel.submit(spec)
        gr.Info(f"Run {run.id}: {doing(run)}; its rows appear as verdicts arrive.")
        return [run.id, 0, "", form_shown(False)]

    def open_form() -> Any:
        return form_shown(True)

    def imported(run: RunView) -> list[Any]:
        gr.Info(f"Run {run.id} imports {run.name}: {doing(run)}.")
        return [run.id, form_shown(False)]

    def close_form() -> list[Any]:
        return [0, "", form_shown(False)]

    def close_import() -> Any:
        return form_shown(False)

    def follow_link(again: int, use: str) -> list[Any]:
        is_asked = bool(again or use)
        return [form_shown(is_asked), form_shown(False) if is_asked else gr.skip()]

    def draw_run(want: int, held: int | None, again: int, use: str) -> list[Any]:
        """The run that is wanted; else the one that is shown stays, also when a newer one starts."""
        want = want or chosen_number(held)
        runs = workspace.patches.runs([want])
        number = chosen_run(runs, want)
        if number is None:
            nothing = _nothing_yet()
            return [gr.update(choices=[], value=None, visible="hidden"), 0, "", nothing, show_or_hide(False, "page")]
        run = next(run for run in runs if run.id == number)
        totals = workspace.patches.totals(number)
        return [
            gr.update(choices=[(run_label(each), each.id) for each in runs], value=number, visible=True),
            0 if again or use else number,
            patch_table.strip(totals, is_over=run.has_ended),
            (run_strip(run) if run.state != "done" or run.unread else "") + _lost(run) + at_work(runs, number),
            show_or_hide(bool(totals.bugs), "page"),
        ]

    def draw_table(
        run: int | None,
        text: str,
        which: str,
        only: str,
        name: str,
        order: str,
        number: int,
        rows: int,
        bug_id: str,
        place: str,
    ) -> list[Any]:
        if not (run := chosen_number(run)):
            return ["", "", "", *pager(1, 1)]
        shown = Shown(text, which, only, order, number, rows, name)
        found, total = workspace.patches.page(run, shown.query)
        most = workspace.patches.candidates(run)
        pages = shown.pages(total)
        number = min(number, pages)
        said = f"page {number} of {pages}, {total} bugs"
        compare = f'<a href="{link(compare=run)}">Compare</a>'
        if learning := learning_from(view := workspace.runs.get(run)):
            compare += f'<a href="{esc(learning)}" title="Build a dataset of the plausible patches">Learn</a>'
        menu = patch_table.export_menu(run, workspace.patches.forms(run))
        is_over = view.state == "done"
        shown_table = patch_table.table(found, most, f"{place}:{bug_id}", name.strip(), is_over=is_over)
        all_figures = figures.figures_menu(workspace.patches.totals(run))
        return [shown_table, said, f"<nav>{all_figures}{compare}{menu}</nav>", *pager(number, pages)]

    def draw_patch(run: int | None, bug_id: str, place: str) -> list[str]:
        asked = patch_table.read_key(f"{place}:{bug_id}")
        if not (run := chosen_number(run)) or asked is None:
            return [empty("No patch chosen", "Click a cell of the table: what the patch changes appears here.")]
        try:
            return [patch_html.detail(workspace.patches.detail(run, *asked))]
        except UserError as error:  # a wrong address
            return [empty("No such patch", f"{error}.")]

    def draw_curve(run: int | None, bug_id: str) -> list[str]:
        """Bugs repaired by attempt, where a strategy asks again and no patch is shown."""
        totals = workspace.patches.totals(number) if (number := chosen_number(run)) and not bug_id else None
        if totals is None or not totals.scored or not totals.strategy:
            return [""]
        return [plausible_by_rank({totals.strategy: totals.by_attempt}, [True])]

    def choose(event: gr.EventData) -> list[str]:
        asked = patch_table.read_key(key := click_value(event))
        return [asked[0], key.partition(":")[0]] if asked else ["", ""]

    def page_now(
        number: int, run: int | None, text: str, which: str, only: str, name: str, rows: int
    ) -> tuple[int, int]:
        """(the page that is shown, the last one): the run may have fewer pages than an address says."""
        shown = Shown(text, which, only, "bug", number, rows, name)
        last = shown.pages(workspace.patches.page(chosen_number(run), shown.query)[1])
        return min(max(number, 1), last), last

    def page_back(*asked: Any) -> int:
        return max(1, page_now(*asked)[0] - 1)

    def page_on(*asked: Any) -> int:
        now, last = page_now(*asked)
        return min(now + 1, last)

    def first_page() -> int:
        return 1

    def another_run(run: int | None) -> list[Any]:
        return [chosen_number(run), 1, "", ""]

    def check_run(number: int) -> None:
        run = workspace.runs.get(number)
        if run.kind not in WITH_PATCHES:
            raise UserError(f"run {number} is a {run.kind} run, which has no patches")

    filters: list[Any] = [search, show, language]
    matched = [*filters, reviewing.reviewer]
    asked = [picker, *matched, sort, page, size, bug, rank]
    by_link = [panel.again, panel.use]
    panel.start(start_button, start, [wanted, *by_link, form_row], name="patches_start")
    on(new.click, open_form, None, form_row, name="patches_open_form")
    importing.wire(import_button, imported, [wanted, import_row])
    on(bring.click, open_form, None, import_row, name="patches_open_import")
    on(leave.click, close_import, None, import_row, name="patches_close_import")
    on(close.click, close_form, None, [*by_link, form_row], name="patches_close_form")
    on([part.change for part in (*by_link, wanted)], follow_link, by_link, [form_row, import_row],
       name="patches_follow_link")  # fmt: skip
    live.show(draw_run, [wanted, picker, *by_link], [picker, opened, summary, state, results],
              also=[part.change for part in (wanted, *by_link)])  # fmt: skip
    live.show(draw_table, asked, [table, place, exports, before, after], also=[part.change for part in asked])
    live.show(draw_patch, [picker, bug, rank], [patch], also=[bug.change, rank.change, picker.change], ticks=False)
    live.show(draw_curve, [picker, bug], [curve], also=[bug.change, picker.change])
    reviewing.wire(picker, bug, rank)
    on([part.input for part in [*filters, sort]], first_page, None, page, name="patches_first_page")
    on(picker.input, another_run, picker, [wanted, page, bug, rank], name="patches_another_run")
    on([table.select, patch.select], choose, None, [bug, rank], name="patches_choose")
    on(before.click, page_back, [page, picker, *matched, size], page, name="patches_page_back")
    on(after.click, page_on, [page, picker, *matched, size], page, name="patches_page_on")
    gr.on(table.apply, None, None, size, js=FIT, api_name="patches_fit", api_visibility="private")
    frame.keep("patches", wanted, shown=opened, check=check_run, opens=True)
    for name, part in (("bug", bug), ("rank", rank), ("show", show), ("q", search), ("language", language),
                       ("sort", sort), ("page", page)):  # fmt: skip
        frame.keep(name, part)
    panel.wire(lambda spec: generation_line(workspace.generation(spec)), memory)
    planning.wire(panel.form)


def at_work(runs: Sequence[RunView], shown: int) -> str:
    """A link to a benchmark run at work that is not the one that is shown; nothing where there is none."""
    other = next((run for run in runs if run.is_active and run.id != shown), None)
    if other is None:
        return ""
    address, words = link(patches=other.id), f"{esc(other.name)} (run {other.id})"
    return f'<p class="hint">{words} is at work. <a href="{esc(address)}">Show it</a></p>'


def _lost(run: RunView) -> str:
    """That rows of a file of patches have no verdict, as their bugs are not known."""
    number = run.result.get("unknown_rows") if run.kind == "validate" else 0
    return f'<p class="hint">{esc(unknown_rows(number))}.</p>' if number else ""


def _nothing_yet() -> str:
    text = "Press New benchmark run and then Start: the table will have a row per bug and a cell per patch."
    return empty("No benchmark has run yet", text)
