"""Samples from a table of conversations, of which the assistant's turns are learned (`engine.builders.turns`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from engine.builders import turns
from engine.builders.rows import TableRow
from engine.builders.table_samples import SAMPLE_COLUMNS, SampleParams, facts_of
from engine.builders.tables import Column, FromTable
from engine.domain import Rows, Sample, Segment
from engine.params import setting


class ConversationsParams(SampleParams):
    """The table, and the meaning of its columns."""

    name: Literal["conversations"] = "conversations"
    conversation: str = setting(
        "", "column with the list of turns; empty: one with a usual name, such as conversations or messages"
    )
    system: str = setting("system", "column with a system message; empty, or none of this name: there is none")
    learn: Literal["all", "last"] = setting("all", "which answers are learned: all, or the last one")


class Conversations(FromTable[ConversationsParams, Sample]):
    """Reads a conversation from each row, in the form of Firefly, ShareGPT or OpenAI; the answers are learned."""

    name: ClassVar[str] = "conversations"
    title: ClassVar[str] = "Conversations in a table"
    makes: ClassVar[Rows] = "samples"
    misfits: ClassVar[tuple[str, ...]] = (turns.NO_TURNS, turns.UNKNOWN_FORM)
    Params = ConversationsParams
    columns: ClassVar[Mapping[str, Column]] = {
        "conversation": Column(
            ("conversations", "conversation", "messages", "dialogue", "dialog", "turns", "chat"),
            ("convers", "message", "dialog"),
        ),
        "system": Column(("system", "system_prompt"), is_needed=False),
        **SAMPLE_COLUMNS,
    }

    def read(self, row: TableRow) -> Sample | str:
        messages = turns.messages_of(row.cells.get("conversation"), row.cells.get("system"))
        if isinstance(messages, str):
            return messages
        if wrong := self.unfit(*(message.text for message in messages)):
            return wrong
        last, is_last_alone = len(messages) - 1, self.params.learn == "last"
        segments = tuple(
            Segment(each.text, each.role == "assistant" and (place == last or not is_last_alone), each.role)
            for place, each in enumerate(messages)
        )
        return Sample(row.id, segments, *facts_of(row, self.params))
