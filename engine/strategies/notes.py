"""What the next prompt says besides the code: the turns of a conversation as notes, and as many of them as fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

from engine.domain import Prompt, Turn
from engine.generators import PromptTooLong
from engine.representations import CannotShow, Exchange
from engine.strategies import Complete
from engine.strategies.failure import brief
from engine.strategies.messages import is_for_people


@dataclass(frozen=True)
class Note:
    """Something that the prompt says besides the code."""

    text: str
    # of the user; the cause that the model found; an earlier attempt; the last one, in full
    kind: Literal["hint", "cause", "earlier", "last"]
    after: int = 0  # so many answers of the model
    answer: str = ""  # the one that it tells of; empty: it tells of none


def exchanges_of(notes: Sequence[Note]) -> tuple[list[str], list[Exchange]]:
    """(what is said before the first answer, each answer with what is said after it)."""
    before: list[str] = []
    exchanges: list[Exchange] = []
    for note in notes:
        if note.answer.strip():
            exchanges.append(Exchange(note.answer, (note.text,)))
        elif exchanges:
            exchanges[-1] = replace(exchanges[-1], notes=(*exchanges[-1].notes, note.text))
        else:
            before.append(note.text)
    return before, exchanges


@dataclass(frozen=True)
class Asked:
    """A prompt, the answer to it, and what of the notes it said."""

    prompt: Prompt
    answer: str
    notes: tuple[Note, ...]
    is_shortened: bool  # of the last attempt or of the cause it says less than the conversation shows


def is_told(turn: Turn) -> bool:
    """Whether the turn holds what a model is told of an attempt."""
    return turn.role == "tool" and not is_for_people(turn.text)


def untold(turns: Sequence[Turn]) -> Turn | None:
    """The last attempt, if no turn after it says what the model is told of it."""
    for turn in reversed(turns):
        if is_told(turn):
            return None
        if turn.role == "assistant":
            return turn if turn.verdict is not None else None
    return None


def notes_of(turns: Sequence[Turn], tell: Callable[[Turn], str], cut: Callable[[str], str]) -> list[Note]:
    """Hints of the user, causes, and what the model is told of each attempt, oldest first; of the last one in full.

    `tell`: what there is to tell of an attempt, for those of which no turn does, as another strategy leaves them.
    `cut`: as much of a cause as is told.
    """
    last = next((turn for turn in reversed(turns) if is_told(turn)), None)
    notes: list[Note] = []
    answer, after = "", 0  # the last one that nothing was told of yet; how many there were
    for at, turn in enumerate(turns):
        if turn.role == "user" and turn.text.strip():
            notes.append(Note(f"hint: {_one_line(turn.text)}", "hint", after))
        elif is_told(turn):
            is_last = turn is last
            text = turn.text if is_last else brief(turn.text)
            notes.append(Note(text, "last" if is_last else "earlier", after, answer))
            answer = ""
        elif turn.is_explanation and turn.text.strip():
            notes.append(Note(f"root cause: {cut(turn.text.strip())}", "cause", after))
        elif turn.role == "assistant" and turn.verdict is not None:
            after += 1
            if _is_told_later(turns[at + 1 :]):
                answer = turn.text
            else:
                notes.append(Note(brief(tell(turn)), "earlier", after, turn.text))
    return sorted(notes, key=lambda note: (note.after, not note.answer))  # a hint follows what it may be about


def fitting(ask: Callable[[Sequence[Note]], Prompt], notes: Sequence[Note], complete: Complete) -> Asked:
    """The longest prompt that fits, and the answer to it; `ask` makes one that says these notes.

    Attempts are left out first, the oldest of them first; the last one is said in brief before it is left out. Then go
    causes, and hints last, only where they are too long.

    Raises PromptTooLong if the code alone does not fit, and CannotShow where it cannot be shown.
    """
    kept, is_shortened = list(notes), False
    while True:
        try:
            prompt = ask(kept)
            return Asked(prompt, complete(prompt), tuple(kept), is_shortened)
        except (PromptTooLong, CannotShow) as error:  # a log may hold a text that means something to the model
            may_go = [kind for kind in ("earlier", "last", "cause") if any(note.kind == kind for note in kept)]
            if not kept or not (may_go or isinstance(error, PromptTooLong)):
                raise
            at = next(at for at, note in enumerate(kept) if note.kind == next(iter(may_go), "hint"))
            is_shortened |= kept[at].kind in ("last", "cause")
            shorter = replace(kept[at], text=brief(kept[at].text))
            kept[at : at + 1] = [shorter] if kept[at].kind == "last" and shorter != kept[at] else []


def _is_told_later(following: Sequence[Turn]) -> bool:
    """Whether a turn before the next attempt tells of this one."""
    return any(map(is_told, takewhile(lambda turn: turn.role != "assistant", following)))


def _one_line(text: str, most: int = 160) -> str:
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())[:most]
