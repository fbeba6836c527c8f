"""Preferences from a table of prompts, each with an answer that is better and one that is worse.

As for direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290): `prompt, chosen, rejected`, all texts;
or `chosen` and `rejected` are conversations that differ in their last message, as in
HuggingFaceH4/ultrafeedback_binarized.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from engine.builders import turns
from engine.builders.rows import TableRow
from engine.builders.table_samples import SAMPLE_COLUMNS, SampleParams, facts_of
from engine.builders.tables import Column, FromTable
from engine.domain import Message, Preference, Prompt, Rows
from engine.params import setting

SAME = "the better and the worse answer are the same"
OTHER_PROMPTS = "the two conversations differ before their last message"


class PreferencesParams(SampleParams):
    """The table, and the meaning of its columns."""

    name: Literal["preferences"] = "preferences"
    prompt: str = setting("prompt", "column with what the model reads; not needed where the answers are conversations")
    chosen: str = setting("", "column with the better answer; empty: the one called chosen")
    rejected: str = setting("", "column with the worse answer; empty: the one called rejected")
    form: Literal["text", "chat"] = setting(
        "text", "of prompts that are texts; text: as they stand; chat: a message in the model's own template"
    )


class Preferences(FromTable[PreferencesParams, Preference]):
    """Reads a prompt, a better and a worse answer from each row."""

    name: ClassVar[str] = "preferences"
    title: ClassVar[str] = "Preferences in a table (better and worse answers)"
    makes: ClassVar[Rows] = "preferences"
    misfits: ClassVar[tuple[str, ...]] = (turns.NO_TURNS, turns.UNKNOWN_FORM)
    Params = PreferencesParams
    columns: ClassVar[Mapping[str, Column]] = {
        "prompt": Column(("prompt", "question", "instruction", "input"), ("prompt", "question"), is_needed=False),
        "chosen": Column(("chosen", "preferred"), ("chosen", "better", "accept")),
        "rejected": Column(("rejected", "dispreferred"), ("reject", "worse")),
        **SAMPLE_COLUMNS,
    }

    def read(self, row: TableRow) -> Preference | str:
        cells = [row.cells.get(name) for name in ("prompt", "chosen", "rejected")]
        is_text = all(each is None or isinstance(each, str) for each in cells)
        parts = self._of_texts(*cells) if is_text else self._of_turns(*cells)
        if isinstance(parts, str):
            return parts
        prompt, chosen, rejected = parts
        texts = [prompt] if isinstance(prompt, str) else [message.text for message in prompt]
        if wrong := self.unfit(*texts, chosen, rejected):
            return wrong
        if chosen == rejected:
            return SAME
        return Preference(row.id, prompt, chosen, rejected, *facts_of(row, self.params))

    def _of_texts(self, prompt: Any, chosen: Any, rejected: Any) -> tuple[Prompt, str, str] | str:
        if wrong := self.wrong(prompt, chosen, rejected):
            return wrong
        asked: Prompt = (Message("user", prompt),) if self.params.form == "chat" else prompt
        return asked, chosen, rejected

    def _of_turns(self, prompt: Any, *answers: Any) -> tuple[Prompt, str, str] | str:
        """Each answer is a message, behind all those before it or alone; the prompt is a text, or messages too."""
        asked = [Message("user", prompt)] if isinstance(prompt, str) and prompt.strip() else turns.turns_of(prompt)
        ends: list[tuple[Message, ...]] = []
        for answer in answers:
            said = turns.turns_of(answer)
            if isinstance(said, str):
                return said
            if len(said) == 1:  # what was said before it is the prompt
                if isinstance(asked, str):
                    return asked
                said = [*asked, *said]
            whole = turns.answered(said)
            if isinstance(whole, str):
                return whole
            ends.append(whole)
        better, worse = ends
        if better[:-1] != worse[:-1]:
            return OTHER_PROMPTS
        return better[:-1], better[-1].text, worse[-1].text
