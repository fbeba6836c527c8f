"""The middle of the Chat page: one conversation, or two about the same bug side by side, which are asked together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from engine.control.chat_views import View
from engine.control.chats import MOST_TURNS
from engine.errors import UserError
from engine.plugins import REPRESENTATIONS
from engine.specs import ChatSpec, parse
from studio import addresses
from studio.checked import number_of
from studio.clickable import GONE, hidden_field, show_or_hide
from studio.forms.form import Form
from studio.guard import on
from studio.html import conversation
from studio.html.basics import empty
from studio.page import Frame
from studio.talking import Asked, asked, talking

NOTHING_YET = "Press Repair: the model proposes a patch, its tests are run, and the failures go into the next prompt."


class Column:
    """One conversation: what is open, the turn that the branch leads to (0: the newest), and its parts of the page."""

    def __init__(self) -> None:
        self.chosen, self.to = hidden_field(0), hidden_field(0)
        self.strip = talking()
        self.turns = talking(elem_classes="scroll talk")

    @property
    def fields(self) -> list[Any]:
        return [self.chosen, self.to]


class Columns:
    """Make it where the conversations should stand, then call `wire`."""

    def __init__(self, frame: Frame, form: Form) -> None:
        self._workspace, self._live, self._form = frame.workspace, frame.live, form
        with gr.Row(elem_classes="talks"):
            with gr.Column(min_width=280):
                self.first = Column()
            with gr.Column(min_width=280, elem_classes=["second", GONE]) as self._place:
                self.second = Column()
        self._how = hidden_field("")  # the model of the second one and how it is asked, as JSON, where just chosen

    @property
    def fields(self) -> list[Any]:
        """What is open; all 0 where nothing is."""
        return [*self.first.fields, *self.second.fields]

    @staticmethod
    def opened(first: int, second: int = 0) -> list[int]:
        """Values of `fields` that show the newest turns of these conversations."""
        return [first, 0, second, 0]

    def wire(self, message: Any, budget: Any, submitted: Sequence[Any]) -> None:
        """`submitted`: the events that ask the models, with what stands in `message` and `budget`."""
        form = self._form
        asks = [*self.fields, self._how, message, budget, *form.inputs]

        def say(
            first: int, to: int, second: int, second_to: int, how: str, text: str, turns: str, *values: Any
        ) -> list[Any]:
            spec, wanted = form.spec(values), budget_of(turns)
            first = first or self._workspace.chats.start(spec)
            self._refuse_busy(first, second)
            self._workspace.chats.send(first, text, wanted, to or None, spec)
            if second:
                self._ask_second(second, text, wanted, second_to or None, self._spec_beside(second, how, spec))
            return [*self.opened(first, second), ""]

        on(submitted, say, asks, [*self.fields, message], name="chat_say")
        self._wire_actions(budget)
        live, first, second = self._live, self.first, self.second
        live.show(self._draw, first.fields, [first.strip, first.turns], also=[each.change for each in first.fields])
        shown = [*second.fields, self._how, *first.fields[:1]]
        also = [each.change for each in [*second.fields, self._how]]
        live.show(self._draw_second, shown, [self._place, second.strip, second.turns], also=also)

    # -- what is asked ----------------------------------------------------------------------------------------------

    def _wire_actions(self, budget: Any) -> None:
        given = [*self.fields, self._how, budget, *self._form.inputs]
        results = [*self.fields, self._how]

        def act_first(event: gr.EventData, *values: Any) -> list[Any]:
            return self._act(asked(event), is_second=False, values=values)

        def act_second(event: gr.EventData, *values: Any) -> list[Any]:
            return self._act(asked(event), is_second=True, values=values)

        for column, act, name in ((self.first, act_first, "first"), (self.second, act_second, "second")):
            on(column.turns.select, act, given, results, name=f"chat_in_{name}")
            on(column.strip.select, act, given, results, name=f"chat_about_{name}")

    def _act(self, told: Asked, *, is_second: bool, values: Sequence[Any]) -> list[Any]:
        """Do what was clicked in a column; returns the values of `fields` and of `_how` after it."""
        chats, form = self._workspace.chats, self._form
        open_now, how, budget, settings = list(values[:4]), str(values[4]), str(values[5]), values[6:]
        at = 2 if is_second else 0
        current, to = open_now[at], open_now[at + 1]
        if told.what == "to":
            open_now[at + 1] = told.turn
        elif told.what == "choose" and is_second:
            how = json.dumps({"model": told.field("model"), "representation": told.field("form")})
        elif told.what == "close":
            open_now[2:], how = [0, 0], ""
        elif told.what == "add":
            open_now, how = self._add(current, told.text, form.spec(settings)), ""
        elif told.what == "rename":
            chats.rename(current, told.text)
        elif told.what == "delete":
            chats.delete(current)
            gr.Info(f"Conversation {current} is deleted.")
            open_now = self.opened(0) if not is_second else [*open_now[:2], 0, 0]
        elif told.what in ("hint", "again"):
            spec = form.spec(settings)
            spec = self._spec_beside(current, how, spec) if is_second else spec
            after = _before(chats.view(current, to or None), told.turn)
            hint, wanted = (told.text, budget_of(budget)) if told.what == "hint" else ("", 1)
            chats.send(current, hint, wanted, after, spec)
            open_now[at + 1] = 0
        return [*open_now, how]

    def _add(self, current: int, model: str, spec: ChatSpec) -> list[int]:
        chats = self._workspace.chats
        current = current or chats.start(spec)
        other = chats.start(parse(spec.model_dump(mode="json") | {"model": model}), beside=current)
        return self.opened(current, other)

    def _refuse_busy(self, *conversations: int) -> None:
        if any(each and self._workspace.chats.is_busy(each) for each in conversations):
            raise UserError("the model is still answering; wait for it or stop it first")

    def _ask_second(self, number: int, text: str, wanted: int, after: int | None, spec: ChatSpec) -> None:
        try:
            self._workspace.chats.send(number, text, wanted, after, spec)
        except UserError as error:  # the first one was asked already
            gr.Warning(f"Only the first model was asked: {error}")

    def _spec_beside(self, number: int, how: str, spec: ChatSpec) -> ChatSpec:
        """The settings of the form, with the second conversation's own model and the way in which that is asked."""
        own = self._workspace.chats.spec(number).model_dump(mode="json")
        held = {name: own[name] for name in ("model", "representation")}
        chosen = read_how(how)
        if chosen.get("model"):
            held["model"] = chosen["model"]
        if chosen.get("representation") not in ("", None, own["representation"]["name"]):
            held["representation"] = {"name": chosen["representation"]}
        made: ChatSpec = parse(spec.model_dump(mode="json") | held)
        return made

    # -- what is shown ----------------------------------------------------------------------------------------------

    def _draw(self, current: int, to: int) -> list[Any]:
        if not current:
            strip = conversation.new_strip(self._workspace.models.names())
            return [strip, empty("A new conversation", NOTHING_YET)]
        view = self._view(current, to)
        models = [] if self._workspace.chats.beside(current) else self._workspace.models.names()
        strip = conversation.strip(view, others=models, learning=learning_from(view))
        return [strip, conversation.shown(view)]

    def _draw_second(self, current: int, to: int, how: str, first: int) -> list[Any]:
        place = show_or_hide(bool(current and first), "second")
        if not (current and first):
            return [place, "", ""]
        view, spec = self._view(current, to), self._workspace.chats.spec(current)
        chosen = read_how(how)
        forms = {name: REPRESENTATIONS.title(name) for name in REPRESENTATIONS.names()}
        model, form = chosen.get("model") or spec.model, chosen.get("representation") or spec.representation.name
        strip = conversation.second_strip(view, self._workspace.models.names(), forms, model, form)
        return [place, strip, conversation.shown(view)]

    def _view(self, current: int, to: int) -> View:
        view = self._workspace.chats.view(current, to or None)
        return view if view.turns or not to else self._workspace.chats.view(current)  # an old link


def budget_of(text: str) -> int:
    """The turns that the budget allows. Raises UserError, before anything is made for them."""
    if 1 <= (wanted := number_of(text.strip())) <= MOST_TURNS:
        return wanted
    raise UserError(f"Budget: should be a whole number of turns, 1 to {MOST_TURNS} (got {text[:20]!r})")


def read_how(text: str) -> Mapping[str, str]:
    """What was chosen for the second column; empty if the text is not JSON that this page wrote."""
    try:
        found = json.loads(text or "{}")
        return {key: str(found.get(key, "")) for key in ("model", "representation")}
    except (ValueError, AttributeError, RecursionError):
        return {}


def _before(view: View, number: int) -> int:
    """The turn of the shown branch that this one follows; 0 for the first. Raises UserError."""
    numbers = [turn.number for turn in view.turns]
    if number not in numbers:
        raise UserError(f"this branch has no message number {number}; reload the page")
    return ([0, *numbers])[numbers.index(number)]


def learning_from(view: View) -> dict[str, str]:
    """Words -> the address of the Datasets form, filled with the runs of a conversation and its number there."""
    if not any(turn.outcome for turn in view.turns):
        return {}
    learning = addresses.learning_from_conversation
    return {
        "Samples of its plausible patches": learning("verdicts", view),
        # each turn has its own prompt, since it tells what was tried before it
        "Preferences: plausible against failed": learning("verdict_pairs", view, across="true"),
    }
