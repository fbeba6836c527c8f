"""The bar below a patch where a person reviews it: verdicts, a note, and the reviewer's name, kept in the browser."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from studio.checked import chosen_number
from studio.clickable import click_value, clickable, hidden_field
from studio.guard import on
from studio.html import review as html
from studio.html.patch_table import read_key
from studio.page import Frame

# What was found is "run:place:bug:reviewer", a line feed, and the note. It replaces only what was filled in before it,
# so that an answer which comes late never takes away what a person has typed meanwhile.
FILL = """(found, note, filled) => {
  const kept = found.slice(found.indexOf("\\n") + 1);
  return note === filled ? [kept, kept] : [note, filled];
}"""


class ReviewBar:
    """Make it inside gr.Blocks, below the patch."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        bare: dict[str, Any] = {"show_label": False, "max_lines": 1, "container": False}  # the label is read out only
        with gr.Column(elem_classes="review"):
            self._said = clickable()
            with gr.Row(elem_classes="review-fields"):
                self._note = gr.Textbox("", label="Note", placeholder="Note", scale=3, min_width=120, **bare)
                self.reviewer = gr.Textbox("", label="Your name", placeholder="Your name", scale=1, min_width=90,
                                           elem_id="reviewer", **bare)  # fmt: skip
            self._others = clickable()
        self._found, self._filled = hidden_field(""), hidden_field("")
        self._given = hidden_field("")  # when the last verdict was given on this page: it is drawn at once

    def wire(self, run: Any, bug: Any, rank: Any) -> None:
        """Connect it; these fields say which patch is shown: its run, its bug, and the place in its key."""
        reviews, live = self._frame.workspace.reviews, self._frame.live
        place, reviewer, note = [run, bug, rank], self.reviewer, self._note

        def draw(run: int | None, bug_id: str, place: str, name: str, _: str) -> list[str]:
            key = f"{place}:{bug_id}"
            asked = read_key(key)
            if not (run := chosen_number(run)) or asked is None:
                return ["", ""]
            found = reviews.of_patch(run, *asked, name)
            return [html.verdicts(run, key, found), html.others(key, found)]

        def act(name: str, text: str, event: gr.EventData) -> list[Any]:
            """A click on a verdict gives it, or withdraws one's own; one on an arrow opens that patch."""
            value = click_value(event)
            given = html.read_verdict(value)
            key = given[2] if given else value
            asked = read_key(key)
            if asked is None:
                return [gr.skip()] * 3
            if given is None:
                return [gr.skip(), asked[0], key.partition(":")[0]]
            if given[0] == html.WITHDRAW:
                reviews.withdraw(given[1], *asked, name)
            else:
                reviews.give(given[1], *asked, reviewer=name, verdict=given[0], note=text)
            return [str(time.monotonic_ns()), gr.skip(), gr.skip()]

        def whose(run: int | None, bug_id: str, place: str, name: str) -> str:
            return f"{chosen_number(run)}:{place}:{bug_id}:{name}".replace("\n", " ")

        def noted(run: int | None, bug_id: str, place: str, name: str) -> str:
            asked = read_key(f"{place}:{bug_id}")
            note = reviews.note(chosen_number(run), *asked, name) if asked else ""
            return f"{whose(run, bug_id, place, name)}\n{note}"

        def annotate(run: int | None, bug_id: str, place: str, name: str, text: str, found: str) -> None:
            """A note written after the verdict, when its field is left; an empty one counts once it was filled."""
            is_filled = found.partition("\n")[0] == whose(run, bug_id, place, name)
            if (text or is_filled) and (asked := read_key(f"{place}:{bug_id}")):
                reviews.annotate(chosen_number(run), *asked, name, text)

        shown = [*place, reviewer, self._given]
        live.show(draw, shown, [self._said, self._others], also=[reviewer.change, self._given.change])
        on(self._said.select, act, [reviewer, note], [self._given, bug, rank], name="patches_review", may_overlap=True)
        changes = [each.change for each in place]
        fill: dict[str, Any] = {"fn": None, "outputs": [note, self._filled], "api_visibility": "private"}
        gr.on(changes, js="() => ['', '']", api_name="patches_clear_note", **fill)
        on([*changes, reviewer.change], noted, [*place, reviewer], self._found, name="patches_noted").success(
            inputs=[self._found, note, self._filled], js=FILL, api_name="patches_fill_note", **fill
        )
        on([note.blur, note.submit], annotate, [*place, reviewer, note, self._found], None, name="patches_annotate")
        self._keep_name()

    def _keep_name(self) -> None:
        """Have the browser keep the name, and fill it in once the field is there."""
        drawn = gr.HTML("", html_template="", js_on_load="setTimeout(() => trigger('input'), 0)", visible="hidden")
        own: dict[str, Any] = {"fn": None, "api_visibility": "private"}
        gr.on(drawn.input, outputs=self.reviewer, js="() => window.studio.reviewer()", api_name="patches_named", **own)
        gr.on(self.reviewer.change, inputs=self.reviewer, js="(name) => window.studio.reviewing(name)",
              api_name="patches_keep_name", **own)  # fmt: skip
