"""Chat: a model repairs one bug in turns, the tests run after each; conversations are kept and go on later."""

from __future__ import annotations

import difflib
import html
import json
from typing import Any

import gradio as gr

from engine.benchmarks import Listed
from engine.control.chats import LOST
from engine.errors import UserError
from studio.checked import number_of
from studio.clickable import clickable, kept, picked, plain
from studio.forms.fields import Names, asked_later
from studio.forms.form import Form
from studio.guard import on
from studio.html import conversation
from studio.html.basics import copy_link, empty, esc, heading, state, verdict
from studio.page import Frame

FOLDED = ("benchmark", "strategy", "representation", "generator", "name")


def build(frame: Frame) -> None:
    """The page."""
    workspace, live = frame.workspace, frame.live
    chosen = kept(0)

    names: dict[str, Names] = {"model": workspace.models.names, "bug": asked_later}
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
    benchmark = [each.widget for each in form.settings_of("benchmark")]

    def bugs(*benchmark: Any) -> list[tuple[str, str]]:
        """What each bug is called in the list, where any part of it can be searched for, and its id."""
        try:
            return [(called(bug), bug.id) for bug in workspace.chats.listed(form.read_plugin("benchmark", benchmark))]
        except UserError:
            return []  # what is wrong with the benchmark is said where it is set

    bug_widget, model_widget = form.widgets("bug")[0], form.widgets("model")[0]
    bug, hints = kept(""), kept("")  # the bug that is shown, and the hints typed for others, as JSON
    use, linked, unopened = kept(""), kept(""), kept("")  # a link's model and bug; the bug shown without conversation

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

    def change_bug(asked: str | None, shown: str, hint: str, others: str, current: int, *benchmark: Any) -> list[Any]:
        """The bug field was left: an unknown id is refused; another bug has another hint and conversation."""
        known = [bug_id for _, bug_id in bugs(*benchmark)]
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
        return [gr.skip(), asked, typed.pop(str(asked), ""), json.dumps(typed), current if is_about else 0]

    def choose(event: gr.EventData) -> int:
        return workspace.chats.get(number_of(picked(event))).id or 0

    def draw(current: int) -> list[Any]:
        if not current:
            text = (
                "Press Repair: the model proposes a patch, its tests are run, and what failed goes into its next try."
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
            interactive=view.state not in LOST,
        )
        return [top, conversation.shown(view), gr.update(interactive=not view.is_busy), end]

    def draw_earlier(current: int) -> list[str]:
        return [conversation.earlier(workspace.chats.entries(), current)]

    def show_bug(bug_id: str, current: int, *benchmark: Any) -> list[str]:
        if not bug_id:
            return ["", ""]
        about = workspace.chats.get(current) if current else None
        chosen_now = form.read_plugin("benchmark", benchmark)
        where = about.benchmark if about and about.bug_id == bug_id else chosen_now
        shown = conversation.chosen_bug(workspace.chats.bug(bug_id, where))
        return [shown, "" if current else bug_id]

    def choices(chosen_bug: str | None, current: int, *benchmark: Any) -> list[Any]:
        """The widgets say what the open conversation is about; without one, what was chosen, or the first bug."""
        models, known = workspace.models.names(), bugs(*benchmark)
        if current:
            about = workspace.chats.get(current)
            return [gr.update(choices=models, value=about.model), gr.update(choices=known, value=about.bug_id)]
        of_it = f"{form.read_plugin('benchmark', benchmark)['name']}/"  # as the ids of all its bugs begin
        is_first = bool(known) and not str(chosen_bug or "").startswith(of_it)
        bug_now = gr.update(choices=known, value=known[0][1]) if is_first else gr.update(choices=known)
        return [gr.update(choices=models), bug_now]

    def take_model(asked: str) -> list[Any]:
        """A link names the model to talk to, "model:mine"."""
        return [asked.partition(":")[2], 0] if asked else [gr.skip(), gr.skip()]

    def take_bug(asked: str) -> Any:
        return asked or gr.skip()

    def check_model(asked: str) -> None:
        workspace.models.resolve(asked.partition(":")[2])

    submitted = [repair.click, message.submit]
    on(submitted, say, [chosen, message, budget, *form.inputs], [chosen, message], name="chat_say")
    on(stop.click, stop_now, chosen, name="chat_stop_now")
    on(anew.click, begin, None, chosen, name="chat_begin")
    on(model_widget.input, change_model, [chosen, model_widget], chosen, name="chat_change_model")
    about = [bug_widget, bug, message, hints, chosen]
    on(bug_widget.change, change_bug, [*about, *benchmark], about, name="chat_change_bug")
    on(cards.select, choose, None, chosen, name="chat_choose")
    on(use.change, take_model, use, [model_widget, chosen], name="chat_take_model")
    on(linked.change, take_bug, linked, bug_widget, name="chat_take_bug")
    live.show(show_bug, [bug, chosen, *benchmark], [code, unopened], also=[bug.change], ticks=False)
    other = [part.change for part in (chosen, *benchmark)]
    live.show(choices, [bug_widget, chosen, *benchmark], [model_widget, bug_widget], also=other)
    live.show(draw, [chosen], [status, turns, repair, stop], also=[chosen.change])
    live.show(draw_earlier, [chosen], [cards], also=[chosen.change])
    frame.keep("chat", chosen, check=workspace.chats.get, opens=True)
    frame.keep("bug", linked, shown=unopened, check=workspace.chats.bug)
    frame.keep("use", use, check=check_model)


def called(bug: Listed) -> str:
    """A bug as the list of them names it."""
    return "  ·  ".join(filter(None, [bug.id, bug.kind.replace("_", " "), bug.language, bug.cwe]))


def read_hints(text: str) -> dict[str, str]:
    """Bug -> the hint that was typed for it; empty where the text is not what this page has written."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
