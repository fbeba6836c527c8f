"""Merge: merges an adapter into its base model, and checks that the result answers the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from engine import results
from engine.control.views import RunView
from engine.results import MergeResult
from studio.addresses import link
from studio.clickable import clickable, plain
from studio.forms.panel import Panel
from studio.html.basics import doing, empty, esc, heading, run_strip
from studio.page import Frame


@dataclass(frozen=True)
class Parity:
    """How closely the merged model's answers match the adapter's."""

    usable: bool
    largest_difference: float  # of any output number of the two
    tolerance: float
    same_patches: int
    bugs: int

    @classmethod
    def of(cls, run: RunView) -> Parity | None:
        """None if the merge is not done."""
        if run.state != "done" or not run.result:
            return None
        try:
            found: MergeResult = results.read("merge", run.result)
        except ValueError:
            return None
        numbers = (found.max_logit_difference, found.tolerance)
        difference, tolerance = (math.nan if number is None else number for number in numbers)
        return cls(found.usable, difference, tolerance, found.same_patches, found.bugs)


def parity_check(parity: Parity) -> str:
    """The result of a finished merge's check, in two large lines."""
    if not parity.usable:
        look, words = "bad", "It does not answer like the adapter, so it cannot be chosen on other pages."
    elif parity.same_patches != parity.bugs:
        look = "caution"
        words = (
            "Caution: the numbers agree up to rounding, but not all patches are the same. It can be chosen on other "
            "pages; benchmark it before you rely on it."
        )
    else:
        look, words = "good", "It answers like the adapter and can be chosen on other pages."
    return (
        f'<div class="parity {look}">'
        f'<p><b class="num">{parity.largest_difference:.1e}</b> <span>largest difference of any output '
        f"number (logit) between the two; up to {parity.tolerance:.1e} is rounding</span></p>"
        f'<p><b class="num">{esc(parity.same_patches)} of {esc(parity.bugs)}</b> '
        f'<span>bugs get the same patch from both</span></p><p class="dim">{words}</p></div>'
    )


def lineage(run: RunView) -> str:
    """What was merged into what."""
    return (
        f'<p class="lineage"><span>{esc(run.spec.get("adapter", ""))}</span><i>into its base model, in '
        f"{esc(run.spec.get('dtype', ''))} →</i><b>{esc(run.name)}</b></p>"
    )


def section(run: RunView) -> str:
    """One merge: its progress, what was merged, the check, and links to use the result."""
    parity = Parity.of(run)
    if parity is None:
        return f"<section>{run_strip(run)}{lineage(run)}</section>"
    after = "".join(
        f'<a class="button" href="{esc(address)}">{words}</a>'
        for address, words in (
            (link(tab="patches", use=f"model:{run.name}"), "Benchmark it"),
            (link(tab="chat", use=f"model:{run.name}"), "Chat with it"),
        )
    )
    more = f'<p class="after">{after}</p>' if parity.usable else ""
    return f"<section>{run_strip(run)}{lineage(run)}{parity_check(parity)}{more}</section>"


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
