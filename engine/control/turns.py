"""The turns of a conversation with their texts: as a page shows them, and as the worker gets them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from engine.control.diff import unified
from engine.domain import Bug
from storage import queries, texts
from storage.tables import Turn


@dataclass(frozen=True)
class TurnTexts:
    """The texts of one turn."""

    text: str
    patch: str | None
    prompt: str
    log: str


@dataclass(frozen=True)
class ShownTurn:
    """One message as a page shows it; all texts are hostile."""

    number: int
    role: str
    text: str
    has_patch: bool
    diff: str  # empty if nothing changes
    outcome: str
    reason: str
    log: str
    prompt: str = ""  # of a model's turn: exactly what it read
    patch: str | None = None  # the whole patched file


def path_of(session: Session, conversation_id: int) -> list[tuple[Turn, TurnTexts]]:
    """The turns that lead to the newest one, each with its texts."""
    turns = queries.path(session, conversation_id)
    columns = [(turn.message_text, turn.patch_text, turn.prompt_text, turn.log_text) for turn in turns]
    found = texts.read(session, (each for ids in columns for each in ids))
    return [
        (turn, TurnTexts(found[text], found.get(patch), found[prompt], found[log]))
        for turn, (text, patch, prompt, log) in zip(turns, columns, strict=True)
    ]


def turn_for_worker(turn: Turn, content: TurnTexts) -> dict[str, object]:
    """A turn as the worker gets it in a question."""
    values = {key: getattr(turn, key) for key in ("number", "role", "patch_reason", "outcome", "reason")}
    return values | {"text": content.text, "patch": content.patch, "log": content.log}


def turn_for_page(turn: Turn, content: TurnTexts, bug: Bug | None) -> ShownTurn:
    """A turn as a page shows it, with the diff of its patch if the bug is known."""
    diff = unified(bug.buggy, content.patch, bug.path) if bug and content.patch is not None else ""
    return ShownTurn(
        number=turn.number,
        role=turn.role,
        text=content.text,
        has_patch=content.patch is not None,
        diff=diff,
        outcome=turn.outcome,
        reason=turn.reason or turn.patch_reason,
        log=content.log,
        prompt=content.prompt,
        patch=content.patch,
    )
