"""The turns of a conversation with their texts: as a page shows them, and as the worker is told of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlmodel import Session

from engine.control.diff import unified
from engine.domain import Bug
from engine.events import TurnSaid, VerdictSaid
from storage import queries, texts
from storage.tables import Turn


@dataclass(frozen=True)
class Said:
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
    diff: str  # empty where nothing changes
    outcome: str
    reason: str
    log: str
    prompt: str = ""  # of a model's turn: exactly what it had read
    patch: str | None = None  # the whole patched file


def path_of(session: Session, conversation_id: int) -> list[tuple[Turn, Said]]:
    """The turns that lead to the newest one, each with its texts."""
    return _with_texts(session, queries.path(session, conversation_id))


def _with_texts(session: Session, turns: Sequence[Turn]) -> list[tuple[Turn, Said]]:
    columns = [
        (turn.message_text, turn.patch_text, turn.prompt_text, turn.log_text, turn.failed_text) for turn in turns
    ]
    found = texts.read(session, (each for ids in columns for each in ids))
    return [
        (turn, Said(found[text], found.get(patch), found[prompt], found[log], tuple(json.loads(found[failed] or "[]"))))
        for turn, (text, patch, prompt, log, failed) in zip(turns, columns, strict=True)
    ]


def told(session: Session, conversation_id: int) -> list[dict[str, Any]]:
    """All turns of a conversation as the worker is told of them: as the events that it said them with."""
    turns = _with_texts(session, queries.turns(session, conversation_id))
    number_of = {turn.id: turn.number for turn, _ in turns}
    return [asdict(_event(turn, said, number_of.get(turn.parent_id))) for turn, said in turns]


def _event(turn: Turn, said: Said, parent: int | None) -> TurnSaid:
    columns = {each.name: getattr(turn, each.name) for each in fields(VerdictSaid) if hasattr(turn, each.name)}
    verdict = VerdictSaid(**{**columns, "log": said.log, "failed": said.failed}) if turn.outcome else None
    return TurnSaid(
        turn.conversation_id, turn.number, turn.role, said.text, said.patch, turn.patch_reason, said.prompt, verdict,
        parent,
    )  # fmt: skip


def shown_of_turn(turn: Turn, said: Said, bug: Bug | None) -> ShownTurn:
    """A turn as a page shows it, with the diff of its patch where the bug is known."""
    diff = unified(bug.buggy, said.patch, bug.path) if bug and said.patch is not None else ""
    return ShownTurn(
        number=turn.number,
        role=turn.role,
        text=said.text,
        has_patch=said.patch is not None,
        diff=diff,
        outcome=turn.outcome,
        reason=turn.reason or turn.patch_reason,
        log=said.log,
        prompt=said.prompt,
        patch=said.patch,
    )
