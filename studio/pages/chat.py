"""Chat: a model repairs one bug in turns, with the tests run after each; a second one can be shown beside it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from engine.control.loaded import UNLOADED
from studio.bug_form import BugForm
from studio.checked import number_of
from studio.clickable import click_value, clickable, plain
from studio.columns import Columns
from studio.guard import on
from studio.html import conversation
from studio.html.basics import heading
from studio.page import Frame

STOP = "Stop"  # what the button says while an answer is written; else it unloads


def build(frame: Frame) -> None:
    """The page."""
    workspace, live = frame.workspace, frame.live
    with gr.Row(elem_classes=["page", "chat-page"]):
        with gr.Column(scale=4, min_width=320, variant="panel"):
            left = BugForm(frame)
        with gr.Column(scale=7, min_width=320, variant="panel"):
            columns = Columns(frame, left.form)
            message = gr.Textbox(
                "",
                label="Your message", info="optional: a hint the model reads before its next answer",
                placeholder="The loop should stop one step earlier", lines=1, max_lines=4,
            )  # fmt: skip
            with gr.Row(elem_classes="buttons"):
                budget = gr.Textbox("5", label="Budget (turns)", min_width=96, max_lines=1, scale=0)
                repair = gr.Button("Repair", variant="primary", min_width=96)
                stop = gr.Button(STOP, variant="stop", min_width=96, interactive=False)
                new = gr.Button("New conversation", min_width=140)
        with gr.Column(scale=3, min_width=260, variant="panel", elem_classes="chat-list"):
            plain(heading("Conversations"))
            sought = gr.Textbox("", label="Search", placeholder="title, bug or model", max_lines=1)
            cards = clickable(elem_classes="scroll")
    chosen, second = columns.first.chosen, columns.second.chosen
    fields = columns.fields

    def stop_now(current: int, other: int, label: str) -> None:
        """End the answers that are being written; where none is, and the button said so, unload the models."""
        shown = [each for each in (current, other) if each]
        views = [workspace.chats.view(each) for each in shown]
        if any(view.is_busy and view.state == "running" for view in views):
            for each in shown:
                workspace.chats.halt(each)
            return
        if label == STOP and not any(view.is_busy for view in views):
            return  # the answer ended just before the click
        if others := sum(workspace.chats.unload(each) for each in shown):
            named = "another conversation" if others == 1 else f"{others} other conversations"
            gr.Info(f"The model was also answering {named}; press Repair there to continue.")

    def begin() -> list[int]:
        return [0] * len(fields)

    def choose(event: gr.EventData) -> list[int]:
        current = workspace.chats.get(number_of(click_value(event))).id or 0
        return columns.opened(current, workspace.chats.beside(current) or 0)

    def draw_buttons(current: int, other: int) -> list[Any]:
        views = [workspace.chats.view(each) for each in (current, other) if each]
        is_busy = any(view.is_busy for view in views)
        end = gr.update(
            value=STOP if is_busy or not views else "Unload",
            variant="stop" if is_busy else "secondary",
            interactive=any(view.state not in UNLOADED for view in views),
        )
        return [gr.update(interactive=not is_busy), end]

    def draw_earlier(current: int, text: str) -> list[str]:
        return [conversation.earlier(workspace.chats.entries(text.strip()), current, text.strip())]

    columns.wire(message, budget, [repair.click, message.submit])
    on(stop.click, stop_now, [chosen, second, stop], name="chat_stop_now")
    on(new.click, begin, None, fields, name="chat_begin")
    on(cards.select, choose, None, fields, name="chat_choose")
    left.wire(chosen, message, fields)
    live.show(draw_buttons, [chosen, second], [repair, stop], also=[chosen.change, second.change])
    live.show(draw_earlier, [chosen, sought], [cards], also=[chosen.change, sought.change])
    frame.keep("chat", chosen, check=workspace.chats.get, opens=True)
    frame.keep("to", columns.first.to)
    frame.keep("with", second, check=workspace.chats.get)
    frame.keep("with_to", columns.second.to)
