"""The turns of a conversation with their texts: as a page shows them, and as the worker gets them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from sqlmodel import Session

from engine.control.diff import unified
from engine.domain import Bug, Outcome
from engine.events import TurnEvent, VerdictFields
from engine.failures.telling import in_one_line
from storage import queries, texts
from storage.tables import Turn

LONGEST_COMPARED = 400_000  # characters of a patched file that is compared line by line
MOST_SAID = 300  # characters of what failed


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
    rule: str = ""  # by which the patch was found in the text
    failure: str = ""  # what failed, in one line
    model: str = ""  # that was asked; empty: not known
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the spec, with which it was asked

    @property
    def is_explanation(self) -> bool:
        """Whether the model was asked for words and not for code."""
        return self.role == "assistant" and not (self.has_patch or self.outcome or self.reason)


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
    return TurnEvent(
        conversation=turn.conversation_id,
        number=turn.number,
        role=turn.role,
        text=content.text,
        patch=content.patch,
        patch_reason=turn.patch_reason,
        prompt=content.prompt,
        verdict=_verdict(turn, content),
        parent=parent,
        rule=turn.rule,
        model=turn.model,
        settings=turn.settings,
    )


def _verdict(turn: Turn, content: TurnTexts) -> VerdictFields | None:
    columns = {each.name: getattr(turn, each.name) for each in fields(VerdictFields) if hasattr(turn, each.name)}
    return VerdictFields(**{**columns, "log": content.log, "failed": content.failed}) if turn.outcome else None


def turn_for_page(turn: Turn, content: TurnTexts, bug: Bug | None) -> ShownTurn:
    """A turn as a page shows it, with the diff of its patch if the bug is known."""
    is_compared = content.patch is not None and len(content.patch) <= LONGEST_COMPARED
    diff = unified(bug.buggy, content.patch or "", bug.path) if bug and is_compared else ""
    verdict = _verdict(turn, content)
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
        rule=turn.rule,
        failure=in_one_line(replace(verdict, outcome=Outcome(turn.outcome)).verdict, MOST_SAID) if verdict else "",
        model=turn.model,
        settings=turn.settings,
    )
