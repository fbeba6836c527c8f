"""Merge: an adapter into its base model, with the proof that the result answers the same."""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.control.workspace import Workspace
from studio.clickable import clickable, plain
from studio.forms.panel import Panel
from studio.guard import on
from studio.html.basics import empty, esc, heading, run_strip
from studio.live import Live


def parity(run: Any) -> str:
    """The check of a finished merge as two large lines."""
    proof = run.result
    if run.state != "done" or not proof:
        return ""
    compared, equal = proof.get("bugs", 0), proof.get("same_patches", 0)
    if not proof.get("usable"):
        look, words = "bad", "It does not answer like the adapter, so it is offered nowhere."
    elif equal != compared:
        look = "caution"
        words = (
            "Caution: the numbers agree up to rounding, but not all patches are the same. It is offered on the other "
            "pages; benchmark it before you rely on it."
        )
    else:
        look, words = "good", "It answers like the adapter and is offered on the other pages."
    return (
        f'<div class="parity {look}">'
        f'<p><b class="num">{proof.get("max_logit_difference", 0):.1e}</b> <span>largest difference of any output '
        f"number (logit) between the two; up to {proof.get('tolerance', 0):.1e} is rounding</span></p>"
        f'<p><b class="num">{esc(equal)} of {esc(compared)}</b> <span>bugs get the same patch from both</span></p>'
        f'<p class="dim">{words}</p></div>'
    )


def lineage(run: Any) -> str:
    """What was merged into what."""
    spec = run.spec
    return (
        f'<p class="lineage"><span>{esc(spec.get("adapter", ""))}</span><i>into its base model, in '
        f"{esc(spec.get('dtype', ''))}</i><b>{esc(run.name)}</b></p>"
    )


def build(workspace: Workspace, live: Live) -> Any:
    """The page; the part that links elsewhere is returned."""

    def adapters() -> list[str]:
        return workspace.models.names("adapter")

    with gr.Row(elem_classes="page"):
        with gr.Column(scale=4, min_width=320, variant="panel"):
            text = "Its changes become part of the base model."
            panel = Panel(workspace, "merge", "Merge an adapter", text, {"adapter": adapters})
            button = gr.Button("Merge and check", variant="primary")
        with gr.Column(scale=6, min_width=320, variant="panel"):
            plain(heading("Parity check", "Adapter and merged model answer the same bugs, and are compared."))
            results = clickable()

    def start(*values: Any) -> None:
        number = workspace.runs.submit(panel.form.spec(values))
        gr.Info(f"Run {number} merges and checks; this page shows how far it is.")

    def draw() -> list[str]:
        runs = workspace.runs.list(kind="merge", limit=10)
        if not runs:
            text = "Choose an adapter and press Merge and check: the proof that both answer the same will stand here."
            return [empty("Nothing merged yet", text)]
        return ["".join(f"<section>{run_strip(run)}{lineage(run)}{parity(run)}</section>" for run in runs)]

    panel.wire(live)
    on(button.click, start, panel.form.inputs)
    live.show(draw, [], [results])
    return results
