"""The left of the Chat page: which model repairs which bug, and how it is asked; an open conversation fills it."""

from __future__ import annotations

import difflib
import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from engine.benchmarks import BugEntry
from engine.control.known_repairs import known_repairs
from engine.errors import UserError
from studio.clickable import hidden_field, plain
from studio.forms.fields import Names, no_choices_yet
from studio.forms.form import Form
from studio.guard import on
from studio.html import conversation
from studio.html.basics import heading
from studio.html.memory import generation_line
from studio.own_code import OwnCode
from studio.page import Frame

FOLDED = ("benchmark", "strategy", "representation", "generator", "name")


class BugForm:
    """Make it where it should stand, then call `wire`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        names: dict[str, Names] = {"model": frame.workspace.models.names, "bug": no_choices_yet}
        plain(heading("Bug", "Choose a model and a bug; the faulty lines are marked."))
        self.form = Form("chat", names=names, folded=FOLDED)
        self._own = OwnCode(frame)
        self._code = plain()
        self._memory = plain()
        self.bug = hidden_field("")  # that is shown
        self._hints = hidden_field("")  # those typed for other bugs, as JSON
        self._unopened = hidden_field("")  # the bug that is shown while no conversation is open
        self._use, self.linked = hidden_field(""), hidden_field("")  # the model and the bug of a link
        self._ahead = hidden_field(0)  # the worker that loads the chosen model before anything is asked

    def wire(self, chosen: Any, message: Any, closed: Sequence[Any]) -> None:
        """`chosen`: the open conversation; `message`: the hint; `closed`: fields that are 0 where none is open."""
        form, workspace, live = self.form, self._frame.workspace, self._frame.live
        plugin = form.plugin("benchmark")
        benchmark = plugin.widget
        bug_widget, model_widget = form.widget("bug"), form.widget("model")

        def bugs(value: str) -> Sequence[BugEntry]:
            try:
                return workspace.chats.bug_entries(plugin.read(value))
            except UserError:
                return []  # the form shows what is wrong with the benchmark

        def draw_memory(*values: Any) -> list[Any]:
            try:
                return [generation_line(workspace.generation(form.spec(values)))]
            except UserError:  # no bug is chosen yet, or what pressing Repair would say
                return [gr.skip()]

        def change_bug(asked: str | None, shown: str, hint: str, others: str, *values: Any) -> list[Any]:
            """The bug field has changed: refuse an unknown id; show the hint of the new bug; close the conversation."""
            value, current = values[0], values[1]
            known = [each.id for each in bugs(value)]
            is_about = bool(current) and workspace.chats.get(current).bug_id == asked  # it may be of another benchmark
            if not is_about and asked not in known:
                if asked and known:
                    near = ", ".join(difflib.get_close_matches(str(asked), known, n=3, cutoff=0.3))
                    text = f"There is no bug {asked!r}. {f'Similar: {near}. ' if near else ''}{shown} stays chosen."
                    gr.Warning(html.escape(text))
                return [shown or None, *[gr.skip()] * (3 + len(closed))]
            if asked == shown:
                return [gr.skip()] * (4 + len(closed))
            typed = {**read_hints(others), shown: hint}
            stays = values[1:] if is_about else [0] * len(closed)
            return [gr.skip(), asked, typed.pop(str(asked), ""), json.dumps(typed), *stays]

        def show_bug(bug_id: str, current: int, value: str) -> list[str]:
            if not bug_id:
                return ["", ""]
            about = workspace.chats.get(current) if current else None
            where = about.benchmark if about and about.bug_id == bug_id else plugin.read(value)
            shown = conversation.chosen_bug(workspace.chats.bug(bug_id, where))
            return [shown, "" if current else bug_id]

        def choices(chosen_bug: str | None, current: int, model: str | None, value: str) -> list[Any]:
            """What may be chosen; without a conversation and a choice, a bug that the model is known to repair.

            The list can be searched for any part of a label.
            """
            found, named = bugs(value), plugin.read(value)["name"]
            repaired = known_repairs(workspace.models, workspace.patches, model or "", named)
            known = [(bug_label(each, is_repaired=each.id in repaired), each.id) for each in found]
            models = gr.update(choices=workspace.models.names())
            if current:
                return [models, gr.update(choices=known, value=workspace.chats.get(current).bug_id)]
            if not found or str(chosen_bug or "").startswith(f"{named}/"):  # as the ids of all its bugs
                return [models, gr.update(choices=known)]
            ids = [each.id for each in found]
            return [models, gr.update(choices=known, value=first_bug(ids, repaired))]

        def fill(current: int) -> list[Any]:
            """The model and settings with which an open conversation goes on; a link asks for no model then."""
            stays = [gr.skip()] * (1 + len(form.inputs))
            try:
                return ["", *form.fill(workspace.chats.spec(current))] if current else stays
            except UserError:  # a plug-in of it is no longer there; pressing Repair says so
                return stays

        def load(current: int, ahead: int, *values: Any) -> Any:
            """Load a model when it is chosen; an open conversation loads it when it goes on with it."""
            try:
                return gr.skip() if current else workspace.chats.load(form.spec(values), ahead)
            except UserError:  # what pressing Repair would say
                return gr.skip()

        def take_model(asked: str) -> Any:
            """Choose the model that a link names, "model:mine"."""
            return [asked.partition(":")[2], *[0] * len(closed)] if asked else [gr.skip()] * (1 + len(closed))

        def take_bug(asked: str) -> Any:
            return asked or gr.skip()

        def check_model(asked: str) -> None:
            workspace.models.resolve(asked.partition(":")[2])

        form.watch(live)
        self._own.wire(plugin, bug_widget, closed)
        on(chosen.change, fill, chosen, [self._use, *form.inputs], name="chat_fill")
        on(model_widget.input, load, [chosen, self._ahead, *form.inputs], self._ahead, name="chat_load")
        about = [bug_widget, self.bug, message, self._hints]
        on(bug_widget.change, change_bug, [*about, benchmark, *closed], [*about, *closed], name="chat_change_bug")
        on(self._use.change, take_model, self._use, [model_widget, *closed], name="chat_take_model")
        on(self.linked.change, take_bug, self.linked, bug_widget, name="chat_take_bug")
        shown = [self._code, self._unopened]
        live.show(show_bug, [self.bug, chosen, benchmark], shown, also=[self.bug.change], ticks=False)
        live.show(draw_memory, form.inputs, [self._memory], ticks=False)
        changed = [part.change for part in (chosen, model_widget, benchmark)]
        fields = [bug_widget, chosen, model_widget, benchmark]
        live.show(choices, fields, [model_widget, bug_widget], also=changed)
        self._frame.keep("bug", self.linked, shown=self._unopened, check=workspace.chats.bug)
        self._frame.keep("use", self._use, check=check_model)


def first_bug(ids: Sequence[str], repaired: Mapping[str, int]) -> str:
    """A bug that the model is known to repair, the surest first; else the first one."""
    return next((bug_id for bug_id in repaired if bug_id in ids), next(iter(ids), ""))


def bug_label(bug: BugEntry, *, is_repaired: bool = False) -> str:
    """The label of a bug in the list of bugs; `is_repaired`: the model has a plausible patch for it."""
    repaired = "✓ known to be repaired" if is_repaired else ""
    return "  ·  ".join(filter(None, [bug.id, bug.kind.replace("_", " "), bug.language, bug.cwe, repaired]))


def read_hints(text: str) -> dict[str, str]:
    """Bug id -> the hint that was typed for it; empty if the text is not JSON that this page wrote."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
