"""Datasets: build a training set, see what was lost on the way, and any sample as training will see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from engine.control.patches import unified
from engine.control.workspace import Workspace
from engine.plugins import BENCHMARKS
from studio import charts
from studio.clickable import GONE, clickable, kept, plain, showing
from studio.forms.panel import Panel
from studio.guard import on
from studio.html import code
from studio.html.basics import empty, esc, heading, run_strip, share_bars, tiles, when
from studio.live import Live
from studio.plotted import plotted


def funnel(steps: Mapping[str, Any], kept: int) -> str:
    """What went in, each loss with its reason and first example, what came out."""
    source = max(int(steps.get("source", 0)), kept, 1)

    def row(name: str, number: int, kind: str, example: str = "") -> str:
        first = f"<small>first: {esc(example)}</small>" if example else ""
        shape = f'<i style="width:{100 * number / source:.2f}%"></i>'
        return f'<li class="{kind}">{shape}<span>{esc(name)}{first}</span><b>{number:,}</b></li>'

    lost = "".join(row(step["reason"], step["count"], "lost", step.get("example", "")) for step in steps["steps"])
    return f'<ol class="funnel">{row("read", steps.get("source", 0), "in")}{lost}{row("samples", kept, "out")}</ol>'


def report(dataset: Any) -> str:
    """The figures of a data set."""
    facts = dataset.report
    kept = dataset.train_rows + dataset.valid_rows
    figures = tiles(
        [
            (f"{dataset.train_rows:,}", "training samples", "the model learns from these"),
            (f"{dataset.valid_rows:,}", "evaluation samples", "kept apart for the evaluation loss"),
            (f"{facts.get('learned_tokens', 0):,}", "learned tokens", "tokens that count in the loss"),
            (dataset.hash[:10], "content hash", "the same hash means the same samples"),
        ]
    )
    kinds = {kind: number for kind, number in (facts.get("kinds") or {}).items() if kind}
    shares = f"<section><h4>Kinds of fault</h4>{share_bars(kinds)}</section>" if kinds else ""
    losses = f"<section><h4>From source to samples</h4>{funnel(facts['funnel'], kept)}</section>"
    made = f'<p class="dim">Built {when(dataset.created_at)} by run {dataset.run_id}.</p>'
    return f'{figures}<div class="two">{losses}{shares}</div>{made}'


def sample(shown: Any) -> str:
    """One sample: where it is from, the fix as a diff, prompt and target, tokens by loss mask."""
    if shown is None:
        return empty("No sample matches", "Clear the search to see them all.")
    facts = " · ".join(filter(None, [shown.kind.replace("_", " "), f"{shown.n_tokens} tokens"]))
    fix = code.diff(unified(shown.buggy, shown.fixed, shown.bug_id))
    return (
        f'<div class="sample"><p><b>{esc(shown.bug_id)}</b> <span class="dim">{esc(facts)}</span></p>'
        f'<div class="two"><section><h4>The fix</h4>{fix}</section>'
        f"<section><h4>Tokens as the model reads them</h4>{code.tokens(shown.pieces)}</section>"
        f"<section><h4>Prompt</h4>{code.log(shown.prompt)}</section>"
        f"<section><h4>Target</h4>{code.log(shown.target)}</section></div></div>"
    )


def place_of(shown: Any) -> str:
    """Which of how many samples this is."""
    return f"{shown.index + 1} of {shown.total:,}{'' if shown.is_whole else ' or more'}" if shown else "none"


def build(workspace: Workspace, live: Live) -> Any:
    """The page; the part that links elsewhere is returned."""
    with gr.Row(elem_classes="page"):
        with gr.Column(scale=4, min_width=320, variant="panel"):
            text = "Bugs with their fixes become samples: a prompt and its target."
            names = {"model": workspace.models.names, "exclude": BENCHMARKS.names}
            panel = Panel(workspace, "dataset", "Build a training set", text, names)
            start_button = gr.Button("Build data set", variant="primary")
        with gr.Column(scale=7, min_width=320):
            strip = clickable()
            with gr.Column(variant="panel"):
                picker = gr.Dropdown([], label="Data set", info="newest first", interactive=True, elem_id="dataset")
                facts = plain()
                lengths = plotted(visible="hidden", elem_classes="chart")
            with gr.Column(variant="panel", elem_classes=GONE) as explorer:
                plain(heading("Samples", "Exactly what training will see."))
                with gr.Row(elem_classes="bar-row"):
                    search = gr.Textbox("", label="Search samples", placeholder="id, kind or code", scale=3)
                    before = gr.Button("Previous", size="sm", min_width=80)
                    after = gr.Button("Next", size="sm", min_width=80)
                    place = plain(elem_classes="place")
                body = clickable()
    index, awaited = kept(), kept()  # awaited: the run that builds what is to be shown next
    panel.wire(live)

    def start(*values: Any) -> int:
        run = workspace.runs.submit(panel.form.spec(values))
        gr.Info(f"Run {run} builds it; it is shown here as soon as it is done.")
        return run

    def draw(current: str | None, awaited: int) -> list[Any]:
        runs = workspace.runs.list(kind="dataset")
        rows = workspace.datasets.list()
        known = [row.name for row in rows]
        done = next((row.name for row in rows if row.run_id == awaited), None)  # what was just asked for comes first
        name = done or (current if current in known else (known or [None])[0])
        top = run_strip(runs[0]) if runs and runs[0].state != "done" else ""
        if name is None:
            text = "Choose where the bugs come from on the left and press Build data set; it takes about a minute."
            return [top, gr.update(choices=[], value=None, visible="hidden"), empty("No data set yet", text)]
        choices = [(f"{each.name}  ({each.train_rows + each.valid_rows:,} samples)", each.name) for each in rows]
        return [top, gr.update(choices=choices, value=name, visible=True), report(workspace.datasets.get(name))]

    def draw_lengths(name: str | None) -> list[Any]:
        if not name:
            return [gr.update(visible="hidden")]
        row = workspace.datasets.get(name)
        chart = charts.lengths(row.report["histogram"], workspace.runs.get(row.run_id).spec.get("max_tokens"))
        return [gr.update(value=chart, visible=True)]

    def draw_explorer(name: str | None) -> list[Any]:
        return [showing(bool(name))]

    def show_sample(name: str | None, text: str, number: int) -> list[str]:
        if not name:
            return ["", ""]
        found = workspace.datasets.sample(name, number, text.strip())
        return [sample(found), place_of(found)]

    def step_back(number: int) -> int:
        return number - 1

    def step_on(number: int) -> int:
        return number + 1

    def first(*_: Any) -> int:
        return 0

    def choose_another() -> int:
        return 0

    on(start_button.click, start, panel.form.inputs, awaited)
    on(picker.input, choose_another, None, awaited)
    live.show(draw, [picker, awaited], [strip, picker, facts], also=[picker.input])
    live.show(draw_lengths, [picker], [lengths], also=[picker.change])
    live.show(draw_explorer, [picker], [explorer], also=[picker.change])
    on(before.click, step_back, index, index)
    on(after.click, step_on, index, index)
    on([picker.change, search.change], first, None, index)
    shown = [picker, search, index]
    live.show(show_sample, shown, [body, place], also=[part.change for part in shown], ticks=False)
    return strip
