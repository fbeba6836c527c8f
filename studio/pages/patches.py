"""Patches: judge a model on a benchmark; the ledger of verdicts, any patch in full, and the way out as a file."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache

from engine.control.patches import LedgerQuery
from engine.control.workspace import Workspace
from studio.checked import chosen_number
from studio.clickable import GONE, clickable, kept, picked, plain, showing
from studio.forms.panel import Panel
from studio.guard import on
from studio.html import ledger
from studio.html.basics import empty, legend, run_strip, when
from studio.live import Live

SHOW = [
    ("every bug", "all"),
    ("with a plausible patch", "plausible"),
    ("without one", "none_plausible"),
    ("set aside", "skipped"),
]
SORT = [("bug", "bug"), ("first plausible rank", "first"), ("plausible patches", "count"), ("kind of fault", "kind")]
LANGUAGES = [("every language", ""), ("Python", "python"), ("Java", "java")]
SIZE = 20
SAVE = "() => { setTimeout(() => document.querySelector('#exported').click(), 200); }"  # once it has its file


def build(workspace: Workspace, live: Live, wanted: Any) -> Any:
    """The page; the part that links elsewhere is returned."""
    with gr.Accordion("New benchmark run", open=False, elem_classes="panel new") as new:
        text = "It writes patches for every bug; each is run against the bug's tests."
        names, folded = {"model": workspace.models.names}, ("representation",)
        panel = Panel(workspace, "benchmark", "Judge a model", text, names, folded=folded)
        start_button = gr.Button("Start benchmark", variant="primary")
    with gr.Column(variant="panel"):
        picker = gr.Dropdown([], label="Benchmark run", interactive=True, elem_id="benchmark-run", filterable=False)
        strip = clickable()
        summary = plain()
    with gr.Row(elem_classes=["page", GONE]) as results:
        with gr.Column(scale=7, min_width=320, variant="panel"):
            with gr.Row(elem_classes="bar-row filters"):
                search = gr.Textbox("", label="Search bugs", placeholder="id, kind, CWE", min_width=140)
                show = gr.Dropdown(SHOW, value="all", label="Show", min_width=140, filterable=False)
                language = gr.Dropdown(LANGUAGES, value="", label="Language", min_width=120, filterable=False)
                sort = gr.Dropdown(SORT, value="bug", label="Sort by", min_width=140, filterable=False)
            plain(legend())
            table = clickable()
            with gr.Row(elem_classes="bar-row"):
                before = gr.Button("Previous page", size="sm", min_width=100)
                after = gr.Button("Next page", size="sm", min_width=100)
                place = plain(elem_classes="place")
                csv = gr.Button("Export all as CSV", size="sm", min_width=100)
                jsonl = gr.Button("as JSONL", size="sm", min_width=80)
                exported = gr.DownloadButton("Export", visible="hidden", elem_id="exported")
        with gr.Column(scale=5, min_width=320, variant="panel"):
            patch = clickable()
    page, cell = kept(1), kept("")
    panel.wire(live)

    def start(*values: Any) -> list[Any]:
        number = workspace.runs.submit(panel.form.spec(values))
        gr.Info(f"Run {number} is queued; its rows appear as verdicts arrive.")
        return [number, gr.Accordion(open=False)]

    def draw_run(want: int) -> list[Any]:
        runs = workspace.patches.runs()
        known = [run.id for run in runs]
        started = [run.id for run in runs if run.started_at]
        number = want if want in known else (started or known or [None])[0]  # until one is chosen, what is judged now
        if number is None:
            text = "Open New benchmark run above and press Start: one row a bug, one cell a patch will stand here."
            return [gr.update(choices=[], value=None, visible="hidden"), "", empty("Nothing judged yet", text)]
        choices = [(f"{run.spec['model']}  ·  run {run.id}, {when(run.created_at)}", run.id) for run in runs]
        run = next(run for run in runs if run.id == number)
        top = run_strip(run) if run.state != "done" else ""
        totals = workspace.patches.totals(number)
        return [
            gr.update(choices=choices, value=number, visible=True),
            top,
            ledger.figures(totals) if totals.bugs else "",
        ]

    def draw_shape(run: int | None) -> list[Any]:
        number = chosen_number(run)
        return [showing(bool(number and workspace.patches.totals(number).bugs), "page")]

    def draw_table(run: int | None, text: str, which: str, only: str, order: str, number: int, key: str) -> list[str]:
        if not (run := chosen_number(run)):
            return ["", ""]
        rows, total = workspace.patches.page(run, LedgerQuery(text.strip(), which, only, order, page=number, size=SIZE))
        most = int(workspace.runs.get(run).spec.get("candidates", 10))
        pages = max(1, -(-total // SIZE))
        return [ledger.table(rows, most, run, key), f"page {min(number, pages)} of {pages}, {total} bugs"]

    def choose(event: gr.EventData, run: int | None) -> list[Any]:
        return [picked(event), chosen_number(run)]

    def draw_patch(run: int | None, key: str) -> list[str]:
        place = ledger.read_key(key)
        if not (run := chosen_number(run)) or place is None:
            return [empty("No patch chosen", "Click a cell of the table: its diff and test log appear here.")]
        return [ledger.detail(workspace.patches.detail(run, *place))]

    def page_back(number: int) -> int:
        return max(1, number - 1)

    def page_on(number: int, run: int | None, text: str, which: str, only: str) -> int:
        total = workspace.patches.page(chosen_number(run), LedgerQuery(text.strip(), which, only, size=1))[1]
        return min(number + 1, max(1, -(-total // SIZE)))

    def first_page() -> int:
        return 1

    def another(run: int | None) -> list[Any]:
        return [chosen_number(run), 1, ""]

    def export_csv(run: int | None) -> str:
        return save_file_to_cache(workspace.patches.export(chosen_number(run), "csv"), exported.GRADIO_CACHE)

    def export_jsonl(run: int | None) -> str:
        return save_file_to_cache(workspace.patches.export(chosen_number(run), "jsonl"), exported.GRADIO_CACHE)

    filters = [search, show, language]
    on(start_button.click, start, panel.form.inputs, [wanted, new])
    live.show(draw_run, [wanted], [picker, strip, summary], also=[wanted.change])
    live.show(draw_shape, [picker], [results], also=[picker.change])
    asked = [picker, *filters, sort, page, cell]
    changes = [part.change for part in asked]
    live.show(draw_table, asked, [table, place], also=changes)
    on([part.change for part in [*filters, sort]], first_page, None, page)
    on(picker.input, another, picker, [wanted, page, cell])
    on([table.select, patch.select], choose, picker, [cell, wanted])
    live.show(draw_patch, [picker, cell], [patch], also=[cell.change, picker.change], ticks=False)
    on(before.click, page_back, page, page)
    on(after.click, page_on, [page, picker, *filters], page)
    for button, write in ((csv, export_csv), (jsonl, export_jsonl)):
        saved = on(button.click, write, picker, exported)
        saved.success(js=SAVE, api_name=f"patches_save_{write.__name__}", api_visibility="private")
    return strip
