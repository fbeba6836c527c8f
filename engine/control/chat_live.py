"""The answer to a conversation while it is written, read piece by piece from its worker's events."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from engine.events import Answered, Delta, Progress, TurnEvent
from engine.rundir import RunDir

TAIL_BYTES = 256_000  # of a worker's events that may hold the answer being written
MOST_TEXT = 20_000  # characters of an answer that are kept here


@dataclass(frozen=True)
class Said:
    """What is written by now, its first `MOST_TEXT` characters, and what is being done."""

    text: str = ""
    doing: str = ""
    is_over: bool = False
    characters: int = 0  # of the whole text
    turns: int = 0  # that were finished since the reading began


class Saying:
    """Follows the answer to one question; each call of `now` reads what came since the last one."""

    def __init__(self, folder: RunDir, number: int, question: int) -> None:
        """`number`: the conversation's in the worker's folder."""
        self._folder, self._number, self._question = folder, number, question
        self._offset: int | None = None
        self._said = Said()
        self._is_seen = False  # by the worker

    def now(self) -> Said:
        """What is known now. Raises OSError."""
        try:
            size = os.stat(self._folder.events_path).st_size
        except FileNotFoundError:  # it has not begun
            return self._said
        if self._offset is None:
            self._offset = max(0, size - TAIL_BYTES)
        if size > self._offset:
            reading = self._folder.events(self._offset)
            self._offset = reading.offset
            for event in reading.events:
                self._said = self._after(event.payload)
        return self._said

    def _after(self, payload: object) -> Said:
        said = self._said
        if isinstance(payload, Progress):  # "loading the model", before it has seen the question
            return said if self._is_seen else replace(said, doing=payload.text)
        if getattr(payload, "conversation", None) != self._number:
            return said
        self._is_seen = True
        if isinstance(payload, TurnEvent):
            return replace(said, text="", characters=0, turns=said.turns + 1)
        if isinstance(payload, Answered):
            return replace(said, text="", characters=0, is_over=payload.question >= self._question)
        if isinstance(payload, Delta):
            before = "" if payload.restart else said.text
            characters = (0 if payload.restart else said.characters) + len(payload.text)
            text = before if len(before) >= MOST_TEXT else (before + payload.text)[:MOST_TEXT]
            return replace(said, text=text, doing=payload.doing or said.doing, characters=characters)
        return said
