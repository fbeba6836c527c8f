"""Chat: a model repairs one bug in turns, each answer judged; conversations are kept and go on later."""

from __future__ import annotations

import difflib
import html
import json
from functools import cache
from typing import Any

import gradio as gr

from engine.control.chats import LOST
from engine.control.workspace import Workspace
from engine.domain import Bug
from engine.errors import UserError
from studio.checked import number_of
from studio.clickable import clickable, kept, picked, plain
from studio.forms.form import Form
from studio.guard import on
from studio.html import conversation
from studio.html.basics import empty, heading, state, verdict
from studio.live import Live

FOLDED = ("benchmark", "strategy", "representation", "generator", "name")


def build(workspace: Workspace, live: Live, chosen: Any) -> None:
    """The page."""

    @cache
    def bugs() -> list[tuple[str, str]]:
        """What each bug is called in the list, where any part of it can be searched for, and its id."""
        return [(called(bug), bug.id) for bug in workspace.chats.bugs()]

    names = {"model": workspace.models.names, "bug": bugs}
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
    bug_widget, model_widget = form.widgets("bug")[0], form.widgets("model")[0]
    bug, hints = kept(""), kept("")  # the bug that is shown, and the hints typed for others, as JSON

    def say(current: int, text: str, turns_wanted: str, *values: Any) -> list[Any]:
        wanted = number_of(turns_wanted.strip())
        if not wanted:
            raise UserError(f"Budget: should be a whole number of turns, 1 to 50 (got {turns_wanted[:20]!r})")
        number = current or workspace.chats.start(form.spec(values))
        workspace.chats.send(number, text, wanted)
        return [number, ""]

    def stop_now(current: int) -> None:
        if others := workspace.chats.stop(current):
            named = "another conversation" if others == 1 else f"{others} other conversations"
            gr.Info(f"The model was also answering {named}; press Repair there to go on.")

    def begin() -> int:
        return 0

    def change_model(current: int, model: str | None) -> int:
        return current if current and workspace.chats.get(current).model == model else 0

    def change_bug(asked: str | None, shown: str, hint: str, others: str, current: int) -> list[Any]:
        """The bug field was left: an unknown id is refused; another bug has another hint and conversation."""
        known = [bug_id for _, bug_id in bugs()]
        is_about = bool(current) and workspace.chats.get(current).bug_id == asked  # it may be of another benchmark
        if not is_about and asked not in known:
            if asked and known:
                near = ", ".join(difflib.get_close_matches(str(asked), known, n=3, cutoff=0.3))
                said = f"There is no bug {asked!r}. {f'Near: {near}. ' if near else ''}{shown} stays chosen."
                gr.Warning(html.escape(said))
            return [shown or None, *[gr.skip()] * 4]
        if asked == shown:
            return [gr.skip()] * 5
        typed = {**read_hints(others), shown: hint}
        return [gr.skip(), asked, typed.pop(asked, ""), json.dumps(typed), current if is_about else 0]

    def choose(event: gr.EventData) -> int:
        return workspace.chats.get(number_of(picked(event))).id or 0

    def draw(current: int) -> list[Any]:
        if not current:
            text = "Press Repair: the model proposes a patch, tests judge it, and what failed goes into its next try."
            return ["", empty("A new conversation", text), gr.update(interactive=True), gr.update(interactive=False)]
        view = workspace.chats.view(current)
        line = f"<b>{conversation.esc(view.bug_id)}</b> with {conversation.esc(view.model)}"
        chip = state(view.state, view.status)
        top = f'<p class="strip-line">{line}{chip}{verdict(view.outcome)}</p>'
        is_loaded = view.state not in LOST
        return [
            top, conversation.shown(view), gr.update(interactive=not view.is_busy), gr.update(interactive=is_loaded)
        ]  # fmt: skip

    def draw_earlier(current: int) -> list[str]:
        return [conversation.earlier(workspace.chats.list(), current)]

    def show_bug(bug_id: str, current: int) -> list[str]:
        if not bug_id:
            return [""]
        about = workspace.chats.get(current) if current else None
        where = about.benchmark if about and about.bug_id == bug_id else "pocket"
        return [conversation.chosen_bug(workspace.chats.bug(bug_id, where))]

    def choices(chosen_bug: str | None, current: int) -> list[Any]:
        """The widgets say what the open conversation is about; without one, what was chosen, or the first bug."""
        models, known = workspace.models.names(), bugs()
        if current:
            about = workspace.chats.get(current)
            return [gr.update(choices=models, value=about.model), gr.update(choices=known, value=about.bug_id)]
        first = {} if chosen_bug or not known else {"value": known[0][1]}
        return [gr.update(choices=models), gr.update(choices=known, **first)]

    on([repair.click, message.submit], say, [chosen, message, budget, *form.inputs], [chosen, message])
    on(stop.click, stop_now, chosen)
    on(anew.click, begin, None, chosen)
    on(model_widget.input, change_model, [chosen, model_widget], chosen)
    about = [bug_widget, bug, message, hints, chosen]
    on(bug_widget.change, change_bug, about, about)
    on(cards.select, choose, None, chosen)
    live.show(show_bug, [bug, chosen], [code], also=[bug.change], ticks=False)
    live.show(choices, [bug_widget, chosen], [model_widget, bug_widget], also=[chosen.change])
    live.show(draw, [chosen], [status, turns, repair, stop], also=[chosen.change])
    live.show(draw_earlier, [chosen], [cards], also=[chosen.change])


def called(bug: Bug) -> str:
    """A bug as the list of them names it."""
    return "  ·  ".join(filter(None, [bug.id, bug.kind.replace("_", " "), bug.language, bug.cwe]))


def read_hints(text: str) -> dict[str, str]:
    """Bug -> the hint that was typed for it; empty where the text is not what this page has written."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
