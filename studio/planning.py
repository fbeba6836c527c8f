"""Below a form: what its run would take, and on how many nodes and GPUs."""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.errors import UserError
from engine.plan import Cluster
from studio.clickable import plain
from studio.forms.form import Form
from studio.html.basics import complaint
from studio.html.plan import plan_line, plan_table
from studio.page import Frame

MOST = 100_000


class PlanPart:
    """Made where it should stand; call `wire` once the form is there."""

    def __init__(self, frame: Frame, kind: str, *, has_line: bool = True) -> None:
        """`has_line`: one line stays in sight above what is folded."""
        self._frame = frame
        self._line = plain(elem_id=f"{kind}-plan-line", elem_classes="plan-line", visible=has_line)
        with gr.Accordion("Plan: time, tests, disk, cost", open=False, elem_classes="more"):
            with gr.Row(elem_classes="bar-row"):
                self._nodes = gr.Textbox("", label="Nodes", placeholder="as the launcher", max_lines=1, min_width=80)
                self._gpus = gr.Textbox("", label="GPUs of each", placeholder="as there", max_lines=1, min_width=80)
            self._table = plain(elem_id=f"{kind}-plan")

    def wire(self, form: Form) -> None:
        """Connect its fields and the form's."""
        workspace = self._frame.workspace

        def draw(nodes: str, gpus: str, *values: Any) -> list[Any]:
            try:
                spec = form.spec(values)
            except UserError:  # which the form itself says
                return [gr.skip(), gr.skip()]
            try:
                place = Cluster(
                    _whole(nodes, "Nodes", 1) if nodes.strip() else 0,
                    _whole(gpus, "GPUs of each", 0) if gpus.strip() else None,
                )
                plan = workspace.plan(spec, place)
            except UserError as error:
                return ["", complaint(f"{error}.")]
            return [plan_line(plan), plan_table(plan)]

        fields = [self._nodes, self._gpus]
        self._frame.live.show(
            draw, [*fields, *form.inputs], [self._line, self._table], also=[each.change for each in fields]
        )


def _whole(text: str, label: str, least: int) -> int:
    """Raises UserError naming the field."""
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and least <= int(text[:12]) <= MOST):
        raise UserError(f"{label}: should be a whole number from {least} to {MOST:,} (got {text[:20]!r})")
    return int(text)
