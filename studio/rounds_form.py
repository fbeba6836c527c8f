"""On Train, below the form: rejection sampling in rounds, with the model and the method of the form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from engine.errors import UserError
from engine.specs import overrides_of
from studio.addresses import link
from studio.clickable import plain
from studio.forms.form import Form
from studio.guard import on
from studio.html.basics import complaint, copyable
from studio.page import Frame

TEXT = (
    '<p class="hint">In each round the model writes patches for your bugs, those that pass every test become samples, '
    "and the model above is trained on the samples of all rounds so far, with the method above. Use other bugs than "
    "those on which you will compare models.</p>"
)
MOST_ROUNDS = 100
OWN = ("name=", "model=", "dataset=")  # settings of the form that the rounds set themselves


class RoundsForm:
    """Made where it should stand; call `wire` once the form is there."""

    def __init__(self, frame: Frame, form: Form) -> None:
        self._frame, self._form = frame, form
        with gr.Accordion("Learn from verdicts in rounds", open=False, elem_classes="more"):
            plain(TEXT)
            with gr.Row(elem_classes="bar-row"):
                self._folder = gr.Textbox(
                    "",
                    label="Bugs to learn from",
                    placeholder="a folder, as tested_faults writes",
                    max_lines=1,
                    scale=3,
                )
                self._count = gr.Textbox("2", label="Rounds", max_lines=1, min_width=80)
                self._candidates = gr.Textbox("10", label="Attempts per bug", max_lines=1, min_width=80)
            self._beside = gr.Checkbox(
                True,
                label="Also patches tested in one process with their tests",
                info="as those of all bugs of tested_faults are, where a pass is easier to forge",
            )
            self._shown = plain()
            self._button = gr.Button("Start rounds", size="sm")

    def wire(self) -> None:
        """Connect its fields."""
        workspace, form = self._frame.workspace, self._form
        own = [self._folder, self._count, self._candidates, self._beside]
        fields = [*own, *form.inputs]

        def draw(folder: str, count: str, candidates: str, beside: bool, *values: Any) -> list[str]:
            if not folder.strip():
                return [""]
            try:
                return [
                    copyable(
                        workspace.rounds.command(*asked(folder, count, candidates, beside, values)), "Shell command"
                    )
                ]
            except UserError as error:
                return [complaint(str(error))]

        def asked(
            folder: str, count: str, candidates: str, beside: bool, values: Sequence[Any]
        ) -> tuple[str, int, list[str]]:
            spec = form.spec(values, dataset="")
            settings = [each for each in overrides_of(spec) if not each.startswith(OWN)]
            wanted = [
                "benchmark.benchmark.name=folder",
                f"benchmark.benchmark.folder={folder.strip()}",
                f"benchmark.candidates={candidates.strip()}",
                *(["dataset.builder.shared=true"] if beside else []),
                *(f"train.{each}" for each in settings),
            ]
            return spec.model, rounds_in(count), wanted

        def start(folder: str, count: str, candidates: str, beside: bool, *values: Any) -> str:
            if not folder.strip():
                raise UserError("Bugs to learn from: is empty, enter a folder of bugs with tests")
            group = workspace.rounds.start(*asked(folder, count, candidates, beside, values))
            runs = workspace.rounds.runs(group)
            gr.Info(f"{len(runs)} runs are queued; Monitor shows how far they are.")
            return link(run=runs[0].id)

        changes = [field.change for field in fields]
        self._frame.live.show(draw, fields, [self._shown], also=changes, ticks=False)
        on(self._button.click, start, fields, self._frame.next_address, name="train_start_rounds")


def rounds_in(text: str) -> int:
    """How many rounds a person has entered. Raises UserError on anything but a few."""
    number = int(text) if text.strip().isdecimal() and len(text.strip()) < 4 else 0
    if not 1 <= number <= MOST_ROUNDS:
        raise UserError(f"Rounds: should be a whole number from 1 to {MOST_ROUNDS} (got {text.strip()[:20]!r})")
    return number
