"""The guide above the pages: an introduction before the demo, its stages while it runs, one line when it has ended."""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.errors import UserError
from studio.clickable import GONE, clickable, plain, show_or_hide
from studio.guard import on
from studio.html import guide
from studio.page import Frame


def build(frame: Frame) -> None:
    """The guide; once it was hidden, nothing is shown in its place."""
    workspace = frame.workspace
    with gr.Column(elem_id="guide", variant="panel"):
        with gr.Row(elem_classes="hello"):
            about = clickable(elem_classes="about")
            with gr.Row(elem_classes="buttons"):
                run = gr.Button("Run the demo", variant="primary", min_width=120, elem_id="run-demo", visible="hidden")
                cancel = gr.Button("Cancel demo", variant="stop", size="sm", min_width=96, visible="hidden")
                gr.Button("Hide", size="sm", min_width=64, elem_id="hide-guide")
        with gr.Row(elem_classes=["buttons", "asked", GONE]) as asked:
            plain("<p>The demo has run before. Running it again queues six new runs and keeps the earlier ones.</p>")
            again = gr.Button("Run it again", variant="primary", size="sm", min_width=112)
            leave = gr.Button("No", size="sm", min_width=64)
        stages = clickable()

    def draw_demo() -> list[Any]:
        shown, table, under_way = workspace.demo.stages(), workspace.demo.table(), workspace.demo.is_running()
        text = guide.about(shown, table, workspace.machine(), under_way=under_way)
        is_over = bool(shown) and all(stage.state == "done" for stage in shown)
        return [
            text,
            "" if is_over else guide.stages(shown),
            gr.update(
                visible="hidden" if under_way else True,
                value="Run again" if shown else "Run the demo",
                variant="secondary" if shown else "primary",
                size="sm" if shown else "lg",
            ),
            gr.update(visible=under_way or "hidden"),
        ]

    def ask_demo() -> Any:
        """The first demo starts at once; another one only when that is wanted."""
        if workspace.demo.stages():
            return show_or_hide(True, "buttons", "asked")
        start_demo()
        return gr.skip()

    def start_demo() -> Any:
        if workspace.demo.is_running():
            raise UserError("The demo is already running: its stages are shown below.")
        workspace.demo.start()
        gr.Info("The demo is queued: six stages, about two minutes on two idle cores.")
        return show_or_hide(False, "buttons", "asked")

    def leave_demo() -> Any:
        return show_or_hide(False, "buttons", "asked")

    def cancel_demo() -> None:
        stopped = workspace.demo.cancel()
        gr.Info(f"{stopped} {'run' if stopped == 1 else 'runs'} of the demo stopped; each can be resumed on Monitor.")

    frame.live.show(draw_demo, [], [about, stages, run, cancel])
    on(run.click, ask_demo, None, asked, name="app_ask_demo")
    on(again.click, start_demo, None, asked, name="app_start_demo")
    on(leave.click, leave_demo, None, asked, name="app_leave_demo")
    on(cancel.click, cancel_demo, name="app_cancel_demo")
