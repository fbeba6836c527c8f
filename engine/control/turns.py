"""The turns of a conversation with their texts: as a page shows them, and as the worker gets them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlmodel import Session

from engine.control.diff import unified
from engine.domain import Bug
from engine.events import TurnEvent, VerdictFields
from storage import queries, texts
from storage.tables import Turn


@dataclass(frozen=True)
class TurnTexts:
    """The texts of one turn."""

    text: str
    patch: str | None
    prompt: str
    log: str
    failed: tuple[str, ...]


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


def path_of(session: Session, conversation_id: int, to: int | None = None) -> list[tuple[Turn, TurnTexts]]:
    """The turns that lead to number `to`, the newest one where None, each with its texts."""
    return _with_texts(session, queries.path(session, conversation_id, to))


def _with_texts(session: Session, turns: Sequence[Turn]) -> list[tuple[Turn, TurnTexts]]:
    columns = [
        (turn.message_text, turn.patch_text, turn.prompt_text, turn.log_text, turn.failed_text) for turn in turns
    ]
    found = texts.read(session, (each for ids in columns for each in ids))
    return [
        (
            turn,
            TurnTexts(
                found[text], found.get(patch), found[prompt], found[log], tuple(json.loads(found[failed] or "[]"))
            ),
        )
        for turn, (text, patch, prompt, log, failed) in zip(turns, columns, strict=True)
    ]


def turns_for_worker(session: Session, conversation_id: int) -> list[dict[str, Any]]:
    """All turns of a conversation as the worker gets them in a question: with the fields of a `turn` event."""
    turns = _with_texts(session, queries.turns(session, conversation_id))
    number_of = {turn.id: turn.number for turn, _ in turns}
    # 0: it follows none, and begins the conversation
    return [asdict(_event(turn, content, number_of.get(turn.parent_id, 0))) for turn, content in turns]


def _event(turn: Turn, content: TurnTexts, parent: int | None) -> TurnEvent:
    columns = {each.name: getattr(turn, each.name) for each in fields(VerdictFields) if hasattr(turn, each.name)}
    verdict = VerdictFields(**{**columns, "log": content.log, "failed": content.failed}) if turn.outcome else None
    return TurnEvent(
        conversation=turn.conversation_id,
        number=turn.number,
        role=turn.role,
        text=content.text,
        patch=content.patch,
        patch_reason=turn.patch_reason,
        prompt=content.prompt,
        verdict=verdict,
        parent=parent,
        rule=turn.rule,
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text or "[]"))


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
