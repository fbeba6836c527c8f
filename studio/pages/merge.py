"""Merge: merges an adapter into its base model, and checks that the result answers the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from studio.clickable import clickable, plain
from studio.forms.panel import Panel
from studio.html.basics import doing, empty, heading
from studio.html.merging import section
from studio.page import Frame


def build(frame: Frame) -> None:
    """The page."""
    workspace = frame.workspace

    def adapters() -> Sequence[str]:
        return workspace.models.names("adapter")

    with gr.Row(elem_classes="page"):
        with gr.Column(scale=4, min_width=320, variant="panel"):
            text = "Adds the adapter's changes to the weights of its base model."
            panel = Panel(frame, "merge", "Merge an adapter", text, {"adapter": adapters})
            panel.place_complaint()
            button = gr.Button("Merge and check", variant="primary")
        with gr.Column(scale=6, min_width=320, variant="panel"):
            plain(
                heading(
                    "Parity check", "Adapter and merged model repair the same bugs, and their answers are compared."
                )
            )
            results = clickable()

    def start(spec: Any) -> list[Any]:
        run = panel.submit(spec)
        gr.Info(f"Run {run.id} merges and checks: {doing(run)}. This page shows how far it is.")
        return []

    def draw() -> list[str]:
        runs = workspace.runs.list(kind="merge", limit=10)
        if not runs:
            text = "Choose an adapter and press Merge and check: the comparison of both models appears here."
            return [empty("Nothing merged yet", text)]
        return ["".join(map(section, runs))]

    panel.wire()
    panel.start(button, start, [], name="merge_start")
    frame.live.show(draw, [], [results])
