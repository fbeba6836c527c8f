"""Monitor: every run with its state; the chosen one's curves, log, settings, stop and resume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from engine.control.runs import spec_json
from engine.control.workspace import Workspace
from engine.rundir import ACTIVE, ENDED
from engine.specs import parse
from studio import charts
from studio.checked import number_of
from studio.clickable import GONE, clickable, kept, picked, plain, showing
from studio.guard import on
from studio.html import code
from studio.html.basics import KINDS, copyable, empty, run_list, run_strip
from studio.live import Live
from studio.plotted import plotted

CHARTS = (charts.loss, charts.learning_rate, charts.speed, charts.memory)
GOES_ON = ("stopped", "failed", "interrupted")


def settings(run: Any, command: str) -> str:
    """What the run was asked for, as a command and as JSON."""
    return copyable(command, "Shell command") + copyable(spec_json(parse(run.spec)), "JSON")


def first_choice(runs: Sequence[Any]) -> int:
    """The run to show while none is chosen: what trains now, what runs now, else the newest; 0 if there is none."""
    at_work = [run for run in runs if run.state == "running"]
    training = [run for run in at_work if run.kind == "train"]
    return next((run.id for run in [*training, *at_work, *runs]), 0)


def build(workspace: Workspace, live: Live, chosen: Any) -> Any:
    """The page; the part that links elsewhere is returned."""
    with gr.Row(elem_classes="page"):
        with gr.Column(scale=3, min_width=300, variant="panel"):
            plain('<div class="heading"><h2>Runs</h2></div>')
            with gr.Row(elem_classes="bar-row"):
                search = gr.Textbox("", label="Search runs", placeholder="name", min_width=120)
                kinds = [("everything", ""), *((words, kind) for kind, words in KINDS.items())]
                kind = gr.Dropdown(kinds, value="", label="Kind", min_width=120, filterable=False)
            cards = clickable(elem_classes="scroll")
        with gr.Column(scale=8, min_width=320):
            with gr.Column(variant="panel"):
                strip = clickable()
                with gr.Row(elem_classes=["buttons", GONE]) as buttons:
                    save = gr.Button("Stop and save", variant="stop", size="sm", visible="hidden", min_width=112)
                    stop = gr.Button("Stop", variant="stop", size="sm", visible="hidden", min_width=96)
                    resume = gr.Button("Resume", size="sm", visible="hidden", min_width=96)
            with gr.Column(elem_id="charts", elem_classes=GONE) as curves:
                plots = [plotted(elem_classes="chart") for _ in CHARTS]
            with gr.Column(variant="panel", elem_classes=GONE) as below:
                plain('<div class="heading"><h2>Log</h2></div>')
                tail = plain(elem_classes="tail")
                with gr.Accordion("Settings of this run", open=False, elem_classes="more"):
                    recipe = plain()

    shown = kept(0)  # the run that the page shows, for its buttons: what is shown while none is chosen changes

    def draw_list(text: str, only: str, wanted: int) -> list[str]:
        runs = workspace.runs.list(kind=only, search=text.strip())
        if not runs:
            return [empty("No runs", "Start the demo above, or build a data set: each piece of work shows up here.")]
        return [run_list(runs, wanted or first_choice(workspace.runs.list()))]

    def draw_run(wanted: int) -> list[Any]:
        newest = wanted or first_choice(workspace.runs.list())
        if not newest:
            nothing = empty("Nothing has run yet", "Its curves and its log will be here while it runs and ever after.")
            return [0, nothing, *[gr.update(visible="hidden")] * 3, "", ""]
        run = workspace.runs.get(newest)
        can_save = run.kind == "train" and run.state in ACTIVE
        return [
            newest,
            run_strip(run, link=False),
            gr.update(visible=can_save or "hidden", interactive=run.state != "stopping"),
            gr.update(
                visible=run.state not in ENDED or "hidden",
                value="Stop now" if can_save else "Stop",
                interactive=can_save or run.state != "stopping",
            ),
            gr.update(visible=run.state in GOES_ON or "hidden"),
            code.log(workspace.runs.log(newest)),
            settings(run, workspace.runs.command(parse(run.spec))),
        ]

    def draw_shape(wanted: int) -> list[Any]:
        newest = wanted or first_choice(workspace.runs.list())
        if not newest:
            return [showing(False, "buttons"), showing(False), showing(False)]
        run = workspace.runs.get(newest)
        has_curves = run.kind == "train" and (run.state not in ENDED or bool(workspace.runs.last_metrics(newest)))
        has_buttons = run.state not in ENDED or run.state in GOES_ON
        return [showing(has_buttons, "buttons"), showing(has_curves), showing(True)]

    def draw_curves(wanted: int) -> list[Any]:
        newest = wanted or first_choice(workspace.runs.list())
        if not newest or workspace.runs.get(newest).kind != "train":
            return [""] * len(CHARTS)
        metrics = workspace.runs.metrics(newest)
        return [figure(metrics, f"run {newest}") for figure in CHARTS]

    def choose(event: gr.EventData) -> int:
        return workspace.runs.get(number_of(picked(event))).id or 0

    def stop_and_save(run_id: int) -> None:
        workspace.runs.stop(run_id)

    def stop_now(run_id: int) -> None:
        workspace.runs.stop(run_id, now=True)

    def resume_run(run_id: int) -> None:
        workspace.runs.resume(run_id)

    live.show(draw_list, [search, kind, chosen], [cards], also=[chosen.change, search.change, kind.change])
    live.show(draw_run, [chosen], [shown, strip, save, stop, resume, tail, recipe], also=[chosen.change])
    live.show(draw_shape, [chosen], [buttons, curves, below], also=[chosen.change])
    live.show(draw_curves, [chosen], plots, also=[chosen.change])
    on(cards.select, choose, None, chosen)
    on(save.click, stop_and_save, shown)
    on(stop.click, stop_now, shown)
    on(resume.click, resume_run, shown)
    return strip
