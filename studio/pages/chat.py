"""Chat: a model repairs one bug in turns, with the tests run after each; a conversation can be continued later."""

from __future__ import annotations

import difflib
import html
import json
from collections.abc import Sequence
from typing import Any

import gradio as gr

from engine.benchmarks import BugEntry
from engine.control.loaded import UNLOADED
from engine.errors import UserError
from studio.checked import number_of
from studio.clickable import click_value, clickable, hidden_field, plain
from studio.forms.fields import Names, no_choices_yet
from studio.forms.form import Form
from studio.guard import on
from studio.html import conversation
from studio.html.basics import copy_link, empty, esc, heading, state, verdict
from studio.html.memory import generation_line
from studio.page import Frame

FOLDED = ("benchmark", "strategy", "representation", "generator", "name")


def build(frame: Frame) -> None:
    """The page."""
    workspace, live = frame.workspace, frame.live
    chosen = hidden_field(0)

    names: dict[str, Names] = {"model": workspace.models.names, "bug": no_choices_yet}
    with gr.Row(elem_classes="page"):
        with gr.Column(scale=4, min_width=320, variant="panel"):
            plain(heading("Bug", "Choose a model and a bug; the faulty lines are marked."))
            form = Form("chat", names=names, folded=FOLDED)
            code = plain()
        with gr.Column(scale=7, min_width=320, variant="panel"):
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
                new = gr.Button("New conversation", min_width=140)
            memory = plain()
        with gr.Column(scale=3, min_width=260, variant="panel"):
            plain(heading("Conversations"))
            cards = clickable(elem_classes="scroll")
    plugin = form.plugin("benchmark")
    benchmark = plugin.widget

    def bugs(benchmark: str) -> Sequence[BugEntry]:
        try:
            return workspace.chats.bug_entries(plugin.read(benchmark))
        except UserError:
            return []  # the form shows what is wrong with the benchmark

    bug_widget, model_widget = form.widget("bug"), form.widget("model")
    bug, hints = hidden_field(""), hidden_field("")  # the bug that is shown, and the hints typed for others, as JSON
    use, linked = hidden_field(""), hidden_field("")  # the model and the bug of a link
    unopened = hidden_field("")  # the bug that is shown while no conversation is open

    def say(current: int, text: str, turns_wanted: str, *values: Any) -> list[Any]:
        wanted = number_of(turns_wanted.strip())
        if not wanted:
            raise UserError(f"Budget: should be a whole number of turns, 1 to 50 (got {turns_wanted[:20]!r})")
        number = current or workspace.chats.start(form.spec(values))
        workspace.chats.send(number, text, wanted)
        return [number, ""]

    def stop_now(current: int) -> None:
        if others := workspace.chats.unload(current):
            named = "another conversation" if others == 1 else f"{others} other conversations"
            gr.Info(f"The model was also answering {named}; press Repair there to continue.")

    def draw_memory(*values: Any) -> list[Any]:
        try:
            return [generation_line(workspace.generation(form.spec(values)))]
        except UserError:  # no bug is chosen yet, or what pressing Repair would say
            return [gr.skip()]

    def begin() -> int:
        return 0

    def change_model(current: int, model: str | None) -> int:
        return current if current and workspace.chats.get(current).model == model else 0

    def change_bug(asked: str | None, shown: str, hint: str, others: str, current: int, benchmark: str) -> list[Any]:
        """The bug field has changed: refuse an unknown id; show the hint of the new bug, and close the conversation."""
        known = [each.id for each in bugs(benchmark)]
        is_about = bool(current) and workspace.chats.get(current).bug_id == asked  # it may be of another benchmark
        if not is_about and asked not in known:
            if asked and known:
                near = ", ".join(difflib.get_close_matches(str(asked), known, n=3, cutoff=0.3))
                text = f"There is no bug {asked!r}. {f'Similar: {near}. ' if near else ''}{shown} stays chosen."
                gr.Warning(html.escape(text))
            return [shown or None, *[gr.skip()] * 4]
        if asked == shown:
            return [gr.skip()] * 5
        typed = {**read_hints(others), shown: hint}
        return [gr.skip(), asked, typed.pop(str(asked), ""), json.dumps(typed), current if is_about else 0]

    def choose(event: gr.EventData) -> int:
        return workspace.chats.get(number_of(click_value(event))).id or 0

    def draw(current: int) -> list[Any]:
        if not current:
            text = (
                "Press Repair: the model proposes a patch, its tests are run, and the failures go into the next prompt."
            )
            return ["", empty("A new conversation", text), gr.update(interactive=True),
                    gr.update(value="Stop", variant="secondary", interactive=False)]  # fmt: skip
        view = workspace.chats.view(current)
        line = f'<b>{esc(view.bug_id)}</b><span class="dim grow">with {esc(view.model)}</span>'
        chip = state(view.state, view.status)
        top = f'<p class="strip-line">{line}{chip}{verdict(view.outcome)}{copy_link()}</p>'
        end = gr.update(
            value="Stop" if view.is_busy else "Unload",
            variant="stop" if view.is_busy else "secondary",
            interactive=view.state not in UNLOADED,
        )
        return [top, conversation.shown(view), gr.update(interactive=not view.is_busy), end]

    def draw_earlier(current: int) -> list[str]:
        return [conversation.earlier(workspace.chats.entries(), current)]

    def show_bug(bug_id: str, current: int, benchmark: str) -> list[str]:
        if not bug_id:
            return ["", ""]
        about = workspace.chats.get(current) if current else None
        where = about.benchmark if about and about.bug_id == bug_id else plugin.read(benchmark)
        shown = conversation.chosen_bug(workspace.chats.bug(bug_id, where))
        return [shown, "" if current else bug_id]

    def choices(chosen_bug: str | None, current: int, model: str | None, benchmark: str) -> list[Any]:
        """Model and bug of the open conversation; without one, what was chosen, or a bug that the model has repaired.

        The list can be searched for any part of a label.
        """
        models, found = workspace.models.names(), bugs(benchmark)
        named = plugin.read(benchmark)["name"]
        repaired = workspace.patches.repaired_by(model or "", named)
        known = [(bug_label(each, is_repaired=each.id in repaired), each.id) for each in found]
        if current:
            about = workspace.chats.get(current)
            return [gr.update(choices=models, value=about.model), gr.update(choices=known, value=about.bug_id)]
        is_first = bool(found) and not str(chosen_bug or "").startswith(f"{named}/")  # as the ids of all its bugs
        ids = [each.id for each in found]
        first = next((bug_id for bug_id in repaired if bug_id in ids), next(iter(ids), ""))
        bug_now = gr.update(choices=known, value=first) if is_first else gr.update(choices=known)
        return [gr.update(choices=models), bug_now]

    def take_model(asked: str) -> list[Any]:
        """Choose the model that a link names, "model:mine"."""
        return [asked.partition(":")[2], 0] if asked else [gr.skip(), gr.skip()]

    def take_bug(asked: str) -> Any:
        return asked or gr.skip()

    def check_model(asked: str) -> None:
        workspace.models.resolve(asked.partition(":")[2])

    form.watch(live)
    submitted = [repair.click, message.submit]
    on(submitted, say, [chosen, message, budget, *form.inputs], [chosen, message], name="chat_say")
    on(stop.click, stop_now, chosen, name="chat_stop_now")
    on(new.click, begin, None, chosen, name="chat_begin")
    on(model_widget.input, change_model, [chosen, model_widget], chosen, name="chat_change_model")
    about = [bug_widget, bug, message, hints, chosen]
    on(bug_widget.change, change_bug, [*about, benchmark], about, name="chat_change_bug")
    on(cards.select, choose, None, chosen, name="chat_choose")
    on(use.change, take_model, use, [model_widget, chosen], name="chat_take_model")
    on(linked.change, take_bug, linked, bug_widget, name="chat_take_bug")
    live.show(show_bug, [bug, chosen, benchmark], [code, unopened], also=[bug.change], ticks=False)
    other = [part.change for part in (chosen, model_widget, benchmark)]
    live.show(draw_memory, form.inputs, [memory], ticks=False)
    live.show(choices, [bug_widget, chosen, model_widget, benchmark], [model_widget, bug_widget], also=other)
    live.show(draw, [chosen], [status, turns, repair, stop], also=[chosen.change])
    live.show(draw_earlier, [chosen], [cards], also=[chosen.change])
    frame.keep("chat", chosen, check=workspace.chats.get, opens=True)
    frame.keep("bug", linked, shown=unopened, check=workspace.chats.bug)
    frame.keep("use", use, check=check_model)


def bug_label(bug: BugEntry, *, is_repaired: bool = False) -> str:
    """The label of a bug in the list of bugs; `is_repaired`: the model has a plausible patch for it."""
    repaired = "✓ repaired in a benchmark run" if is_repaired else ""
    return "  ·  ".join(filter(None, [bug.id, bug.kind.replace("_", " "), bug.language, bug.cwe, repaired]))


def read_hints(text: str) -> dict[str, str]:
    """Bug id -> the hint that was typed for it; empty if the text is not JSON that this page wrote."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
