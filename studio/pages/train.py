"""Train: choose a model, a dataset and a method, see what it will cost, start."""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.control.preflight import Preflight
from engine.control.workspace import Workspace
from studio.addresses import link
from studio.clickable import plain
from studio.forms.fields import Names
from studio.forms.panel import Panel
from studio.html import code
from studio.html.basics import count, doing, esc, heading, size, tiles
from studio.page import Frame

PARTS = {
    "weights": "weights of the model",
    "optimizer": "state of the optimizer",
    "gradients": "gradients",
    "activations": "activations for the backward pass",
    "buffers": "logits, and buffers not in use",
    "context": "libraries and driver",
}
NO_DATASET = f'<p class="origin">There is no dataset yet. <a href="{link(tab="datasets")}">Build one</a> first.</p>'


def memory_bar(needed: Preflight) -> str:
    """A stacked bar of what training needs, against what this machine has."""
    estimate, machine_bytes = needed.estimate, needed.machine_bytes
    if estimate is None:
        return '<p class="dim">This trainer cannot estimate how much memory it will need.</p>'
    full = max(estimate.total, machine_bytes)
    parts = "".join(
        f'<i class="p-{name}" style="width:{100 * n_bytes / full:.2f}%" title="{PARTS[name]}: {size(n_bytes)}"></i>'
        for name, n_bytes in estimate.parts.items()
    )
    key = "".join(
        f'<li><i class="p-{name}"></i><span>{PARTS[name]}</span><b>{size(n_bytes)}</b></li>'
        for name, n_bytes in estimate.parts.items()
    )
    words = f"about {size(estimate.total)} of {size(machine_bytes)}"
    advice = "" if needed.fits else (
        '<p class="complaint" role="alert">This does not fit. Use qlora, a smaller batch with more accumulation, or '
        "activation checkpointing.</p>"
    )  # fmt: skip
    notes = "".join(f"<li>{esc(note)}</li>" for note in estimate.notes)
    where = "GPU memory" if needed.device == "cuda" else "main memory"
    head = f'<p><b>{words}</b> <span class="dim">{where}, samples of {needed.sample_tokens:,} tokens</span></p>'
    return (
        f'<div class="memory {"fits" if needed.fits else "over"}">{head}'
        f'<div class="stack" role="img" aria-label="Memory: {words}">{parts}</div><ul class="stack-key">{key}</ul>'
        f'{advice}<ul class="notes">{notes}</ul></div>'
    )


def cost(needed: Preflight) -> str:
    """Memory and parameters that the training will need."""
    estimate = needed.estimate
    if estimate is None:
        return memory_bar(needed)
    share = 100 * estimate.trainable / max(estimate.all_parameters, 1)
    added = " and the added matrices" if estimate.all_parameters > estimate.parameters else ""
    figures = tiles(
        [
            (count(estimate.trainable), "parameters trained", f"{share:.2f} % of all"),
            (count(estimate.all_parameters), "parameters in all", "of the base model" + added),
        ]
    )
    return memory_bar(needed) + figures


def first_sample(workspace: Workspace, dataset: str) -> str:
    """The first sample of a dataset, token by token as the model will see it; empty if there is none."""
    if dataset not in workspace.datasets.names():
        return ""
    sample = workspace.datasets.sample(dataset)
    return f"<h4>The first sample, as the model will see it</h4>{code.tokens(sample.pieces)}" if sample else ""


def build(frame: Frame) -> None:
    """The page; after a start it opens the new run on Monitor."""
    workspace = frame.workspace
    with gr.Row(elem_classes="page"):
        with gr.Column(scale=5, min_width=320, variant="panel"):
            missing = plain()
            text = "The model learns from your dataset; Monitor shows its curves meanwhile."
            names: dict[str, Names] = {"model": workspace.models.names, "dataset": workspace.datasets.names}
            panel = Panel(frame, "train", "Train a model", text, names, recipe_apart=True)
            panel.place_complaint()
            button = gr.Button("Start training", variant="primary")
        with gr.Column(scale=5, min_width=320), gr.Column(variant="panel"):
            plain(heading("Before you start", "What it will need, estimated without loading anything."))
            about = plain('<p class="dim">Fill in the form.</p>', elem_id="train-about")
            panel.place_recipe(is_open=True)

    def estimate(spec: Any) -> str:
        return cost(workspace.preflight(spec)) + first_sample(workspace, spec.dataset)

    def start(spec: Any) -> list[str]:
        run = panel.submit(spec)
        gr.Info(f"Run {run.id}: {doing(run)}; Monitor shows it.")
        return [link(run=run.id)]

    def draw_missing() -> list[str]:
        return ["" if workspace.datasets.names() else NO_DATASET]

    panel.wire(estimate, about)
    frame.live.show(draw_missing, [], [missing])
    panel.start(button, start, [frame.next_address], name="train_start")
