"""What the next prompt says besides the code: the turns of a conversation as notes, and as many of them as fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

from engine.domain import Prompt, Turn
from engine.errors import UserError
from engine.generators import PromptTooLong
from engine.representations import CannotShow, Exchange
from engine.strategies import Complete
from engine.strategies.failure import brief
from engine.strategies.messages import is_for_people

GOES = ("earlier", "last", "code", "cause", "hint")  # kinds of notes, in the order in which they are left out


@dataclass(frozen=True)
class Note:
    """Something that the prompt says besides the code."""

    text: str
    # of the user; the cause that the model found; an earlier attempt; the last one, in full; what fails before any
    kind: Literal["hint", "cause", "earlier", "last", "code"]
    after: int = 0  # so many answers of the model
    answer: str = ""  # the one that it tells of; empty: it tells of none
    is_cut: bool = False  # it says less than the conversation shows


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
class Drawn:
    """A prompt, the answer to it, and what of the notes it said."""

    prompt: Prompt
    answer: str
    notes: tuple[Note, ...]
    is_shortened: bool  # of a hint, the last attempt or the cause it says less than the conversation shows


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
    `cut`: as much of a hint or of a cause as is told.
    """
    last = next((turn for turn in reversed(turns) if is_told(turn)), None)
    notes: list[Note] = []
    answer, after = "", 0  # the last one that nothing was told of yet; how many there were
    for at, turn in enumerate(turns):
        if turn.role == "user" and turn.text.strip():
            text = turn.text.strip()
            notes.append(Note(f"hint: {cut(text)}", "hint", after, is_cut=cut(text) != text))
        elif is_told(turn):
            kind: Literal["code", "last", "earlier"] = "last" if turn is last else "earlier"
            text = turn.text if turn is last else brief(turn.text)
            notes.append(Note(text, kind if after else "code", after, answer))
            answer = ""
        elif turn.is_explanation and turn.text.strip():
            text = turn.text.strip()
            notes.append(Note(f"root cause: {cut(text)}", "cause", after, is_cut=cut(text) != text))
        elif turn.role == "assistant" and turn.verdict is not None:
            after += 1
            if _is_told_later(turns[at + 1 :]):
                answer = turn.text
            else:
                notes.append(Note(brief(tell(turn)), "earlier", after, turn.text))
    return sorted(notes, key=lambda note: (note.after, not note.answer))  # a hint follows what it may be about


def fitting(ask: Callable[[Sequence[Note]], Prompt], notes: Sequence[Note], complete: Complete) -> Drawn:
    """The longest prompt that fits, and the answer to it; `ask` makes one that says these notes.

    Attempts are left out first, the oldest of them first; the last one is said in brief before it is left out. Then go
    what fails before any, causes, and hints last. A log or an answer may hold a text that means something to the model:
    only what holds it is left out.

    Raises PromptTooLong if the code alone does not fit, CannotShow where it cannot be shown, and UserError where a hint
    holds such a text.
    """
    kept, is_shortened = list(notes), any(note.is_cut for note in notes)
    while True:
        try:
            prompt = ask(kept)
            return Drawn(prompt, complete(prompt), tuple(kept), is_shortened)
        except PromptTooLong:
            if not kept:
                raise
            at = min(range(len(kept)), key=lambda at: GOES.index(kept[at].kind))
            shorter = [_in_brief(kept[at])] if kept[at].kind in ("last", "code") else []
            left = [note for note in shorter if note != kept[at]]
        except CannotShow as error:
            at, left = _not_shown(ask, kept, error)
        is_shortened |= kept[at].kind != "earlier"
        kept[at : at + 1] = left


def _not_shown(
    ask: Callable[[Sequence[Note]], Prompt], notes: Sequence[Note], error: CannotShow
) -> tuple[int, list[Note]]:
    """(place of the first note that cannot be shown, as much of it as can be)."""
    ask([])  # raises where it is the code that cannot be shown
    for at, note in enumerate(notes):
        if _can(ask, note):
            continue
        if note.kind == "hint":
            why = str(error).removeprefix("the code ")
            raise UserError(f"your message {why}, so the model cannot be told it; send it in other words") from None
        without_answer = replace(note, answer="")
        return at, [each for each in (without_answer, _in_brief(without_answer)) if _can(ask, each)][:1]
    raise error


def _can(ask: Callable[[Sequence[Note]], Prompt], note: Note) -> bool:
    try:
        ask([note])
    except CannotShow:
        return False
    return True


def _in_brief(note: Note) -> Note:
    return replace(note, text=brief(note.text))


def _is_told_later(following: Sequence[Turn]) -> bool:
    """Whether a turn before the next attempt tells of this one."""
    return any(map(is_told, takewhile(lambda turn: turn.role != "assistant", following)))
