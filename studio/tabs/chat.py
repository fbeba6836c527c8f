"""Chat: a model repairs one bug in turns, each answer judged; conversations are kept and go on later."""

from __future__ import annotations

from functools import cache
from typing import Any

import gradio as gr

from engine.control.workspace import Workspace
from engine.errors import UserError
from studio import conversation
from studio.clickable import clickable, picked, plain
from studio.form import Form
from studio.guard import on
from studio.live import Live
from studio.show import empty, heading, state, verdict

FOLDED = ("benchmark", "strategy", "representation", "generator", "name")


def build(workspace: Workspace, live: Live, chosen: gr.State) -> None:
    """The page."""

    @cache
    def bug_ids() -> list[str]:
        return [bug.id for bug in workspace.chats.bugs()]

    names = {"model": workspace.models.names, "bug": bug_ids}
    with gr.Row(elem_classes="page"):
        with gr.Column(scale=4, min_width=320, variant="panel"):
            plain(heading("Bug", "Choose a model and a bug; the faulty lines are marked."))
            form = Form("chat", names=names, folded=FOLDED)
            code = plain()
        with gr.Column(scale=6, min_width=320, variant="panel"):
            status = plain()
            turns = clickable(elem_classes="scroll talk")
            message = gr.Textbox(
                "",
                label="Your message", info="optional: a hint the model reads before its next answer",
                placeholder="The loop should stop one step earlier", lines=1, max_lines=4,
            )  # fmt: skip
            with gr.Row(elem_classes="buttons"):
                budget = gr.Textbox("5", label="Budget (turns)", min_width=96, max_lines=1, scale=0)
                repair = gr.Button("Repair", variant="primary", min_width=96)
                stop = gr.Button("Stop", variant="stop", min_width=96, interactive=False)
                anew = gr.Button("New conversation", min_width=140)
        with gr.Column(scale=3, min_width=260, variant="panel"):
            plain(heading("Conversations"))
            cards = clickable(elem_classes="scroll")
    bug_widget = form.widgets("bug")[0]
    model_widget = form.widgets("model")[0]

    def say(current: int, text: str, turns_wanted: str, *values: Any) -> list[Any]:
        if not turns_wanted.strip().isdecimal():
            raise UserError(f"Budget: should be a whole number of turns, 1 to 50 (got {turns_wanted!r})")
        number = current or workspace.chats.start(form.spec(values))
        workspace.chats.send(number, text, int(turns_wanted))
        return [number, ""]

    def stop_now(current: int) -> None:
        workspace.chats.stop(current)

    def begin() -> int:
        return 0

    def choose(event: gr.EventData) -> int:
        text = picked(event)
        return workspace.chats.view(int(text) if text.isdecimal() else 0).id

    def draw(current: int) -> list[Any]:
        if not current:
            text = "Press Repair: the model proposes a patch, tests judge it, and what failed goes into its next try."
            return ["", empty("A new conversation", text), gr.update(interactive=True), gr.update(interactive=False)]
        view = workspace.chats.view(current)
        line = f"<b>{conversation.esc(view.bug_id)}</b> with {conversation.esc(view.model)}"
        chip = state(view.state, view.status)
        top = f'<p class="strip-line">{line}{chip}{verdict(view.outcome)}</p>'
        is_loaded = view.state in ("queued", "starting", "running")
        return [
            top, conversation.shown(view), gr.update(interactive=not view.is_busy), gr.update(interactive=is_loaded)
        ]  # fmt: skip

    def draw_earlier(current: int) -> list[str]:
        return [conversation.earlier(workspace.chats.list(), current)]

    def show_bug(bug_id: str | None) -> list[str]:
        return [conversation.chosen_bug(workspace.chats.bug(bug_id)) if bug_id else ""]

    def choices(bug: Any, current: int) -> list[Any]:
        """The widgets say what the open conversation is about; without one, what was chosen, or the first bug."""
        models, ids = workspace.models.names(), bug_ids()
        if current:
            about = workspace.chats.get(current)
            return [gr.update(choices=models, value=about.model), gr.update(choices=ids, value=about.bug_id)]
        return [
            gr.update(choices=models),
            gr.update(choices=ids) if bug or not ids else gr.update(choices=ids, value=ids[0]),
        ]

    on([repair.click, message.submit], say, [chosen, message, budget, *form.inputs], [chosen, message])
    on(stop.click, stop_now, chosen)
    on([anew.click, bug_widget.input, model_widget.input], begin, None, chosen)
    on(cards.select, choose, None, chosen)
    live.show(show_bug, [bug_widget], [code], also=[bug_widget.change], ticks=False)
    live.show(choices, [bug_widget, chosen], [model_widget, bug_widget], also=[chosen.change])
    live.show(draw, [chosen], [status, turns, repair, stop], also=[chosen.change])
    live.show(draw_earlier, [chosen], [cards], also=[chosen.change])
