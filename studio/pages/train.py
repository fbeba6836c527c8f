"""Train: choose a model, a dataset and a method, see what it will cost, start."""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.plan import Cluster, Plan
from engine.specs import MeasureSpec
from engine.sweep_specs import specs_of
from studio.addresses import link
from studio.clickable import plain
from studio.forms.fields import Names
from studio.forms.panel import Panel
from studio.html import code
from studio.html.basics import complaint, doing, esc, heading
from studio.html.memory import memory_bar, parameters
from studio.page import Frame
from studio.planning import PlanPart
from studio.rounds_form import RoundsForm

NO_DATASET = f'<p class="origin">There is no dataset yet. <a href="{link(tab="datasets")}">Build one</a> first.</p>'


MEASURING = (
    '<p class="dim">Runs eight steps with the longest rows of the dataset on this device, in a run of its own, and '
    "corrects the estimate for this model and method by what it measures.</p>"
)


def newest_measurement(workspace: Workspace) -> str:
    """A line about the newest measurement, of what it was, and how it ended; empty if there is none."""
    for run in workspace.runs.list(kind="measure", limit=1):
        said = run.outcome if run.state == "done" else f"{run.state}; {run.error or doing(run)}"
        trainer = (run.spec.get("trainer") or {}).get("name", "")
        what = f"{run.spec.get('model', '')} on {run.spec.get('dataset', '')}, by {trainer}"
        opens = f'<a href="{link(run=run.id)}">run {run.id}</a>'
        return f'<p class="origin">The last measurement, {opens} ({esc(what)}): {esc(said)}</p>'
    return ""


def first_sample(workspace: Workspace, dataset: str) -> str:
    """The first sample of a dataset, token by token as the model will see it; empty if there is none."""
    if dataset not in workspace.datasets.names() or not (sample := workspace.datasets.sample(dataset)):
        return ""
    kind = ", a wrong answer" if sample.is_wrong else ", with the better answer" if sample.rejected else ""
    worse = f"<h4>The worse answer</h4>{code.log(sample.rejected)}" if sample.rejected else ""
    return f"<h4>The first sample, as the model will see it{kind}</h4>{code.tokens(sample.pieces)}{worse}"


def unlike(workspace: Workspace, spec: Any) -> str:
    """That the chosen dataset is none for the chosen trainer; empty where it is, or none is chosen."""
    try:
        workspace.runs.inputs(spec)
    except UserError as error:
        return complaint(str(error)) if error.field == "dataset" and spec.dataset else ""
    return ""


def lines_of(text: str) -> list[str]:
    """The settings with several values, one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def build(frame: Frame) -> None:
    """The page; after a start it opens the new run on Monitor."""
    workspace = frame.workspace
    with gr.Row(elem_classes="page"):
        with gr.Column(scale=5, min_width=320, variant="panel"):
            missing = plain()
            text = "The model learns from your dataset; Monitor shows its curves meanwhile."
            names: dict[str, Names] = {"model": workspace.models.names, "dataset": workspace.datasets.names}
            panel = Panel(frame, "train", "Train a model", text, names, recipe_apart=True)
            tried = gr.Textbox(
                "",
                label="Try several values",
                info="a setting a line, as trainer.learning_rate=1e-4,2e-4; every combination is a run of one sweep",
                lines=2,
                elem_classes="more",
            )
            panel.place_complaint()
            button = gr.Button("Start training", variant="primary")
            rounds = RoundsForm(frame, panel.form)
        with gr.Column(scale=5, min_width=320), gr.Column(variant="panel"):
            plain(heading("Before you start", "What it will need, estimated without loading anything."))
            memory = plain(elem_id="train-memory")
            measure = gr.Button("Measure it", size="sm", elem_id="train-measure")
            plain(MEASURING)
            about = plain('<p class="dim">Fill in the form.</p>', elem_id="train-about")
            planning = PlanPart(frame, "train", has_line=False)
            panel.place_recipe(is_open=True)

    def estimate(spec: Any) -> str:
        needed = workspace.preflight(spec)
        return unlike(workspace, spec) + parameters(needed, plan_of(spec)) + first_sample(workspace, spec.dataset)

    def plan_of(spec: Any) -> Plan | None:
        try:
            return workspace.plan(spec, Cluster(0))
        except UserError:  # without a dataset there is none
            return None

    def draw_memory(*values: Any) -> list[Any]:
        try:
            return [memory_bar(workspace.preflight(panel.form.spec(values))) + newest_measurement(workspace)]
        except UserError:  # which the form itself says
            return [gr.skip()]

    def start_measuring(spec: Any) -> list[str]:
        run = panel.submit(MeasureSpec.of(spec))
        gr.Info(f"Run {run.id}: {doing(run)}; the bar changes when it is done.")
        return []

    def start(spec: Any, several: str) -> list[str]:
        if over := lines_of(several):
            first, *others = workspace.sweeps.runs(workspace.sweeps.start(specs_of(spec, over)))
            gr.Info(f"{len(others) + 1} runs are queued; Monitor shows them side by side.")
            return [link(run=first.id, **{"with": ",".join(str(run.id) for run in others)})]
        run = panel.submit(spec)
        gr.Info(f"Run {run.id}: {doing(run)}; Monitor shows it.")
        return [link(run=run.id)]

    def command(spec: Any, several: str) -> str:
        if over := lines_of(several):
            specs_of(spec, over)  # says what is wrong with them
            return workspace.sweeps.command(spec, over)
        return workspace.runs.command(spec)

    def draw_missing() -> list[str]:
        return ["" if workspace.datasets.names() else NO_DATASET]

    panel.wire(estimate, about, command, [tried])
    planning.wire(panel.form)
    rounds.wire()
    frame.live.show(draw_missing, [], [missing])
    frame.live.show(draw_memory, panel.form.inputs, [memory])
    panel.start(measure, start_measuring, [], name="train_measure")
    panel.start(button, start, [frame.next_address], name="train_start", more=[tried])
