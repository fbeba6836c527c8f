"""The messages of a conversation as people's files write them.

Firefly (github.com/yangjianxin1/Firefly): `[{"human": "..", "assistant": ".."}]`; ShareGPT: `[{"from": "human" | "gpt",
"value": ".."}]`; OpenAI: `[{"role": "user" | "assistant" | "system", "content": ".."}]`, where the content may be parts
`{"type": "text", "text": ".."}`. A list of objects may also be an object of lists, as `datasets` writes its sequences,
and in a CSV file it is JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.domain import Message, Role

NO_TURNS = "is no conversation"  # another kind of column
UNKNOWN_FORM = "a turn is neither human and assistant, from and value, nor role and content"
UNKNOWN_ROLE = "a turn is neither the user's, the assistant's, nor the system's"
EMPTY_TURN = "a turn is empty"
EMPTY_ANSWER = "an answer is empty"
NOT_ONLY_TEXT = "a turn is not text"
NO_ANSWER = "has no answer"
NOT_USERS = "does not begin with the user's turn"
LATE_SYSTEM = "a system message is not the first"
SPELLINGS: Mapping[str, Role] = {
    "human": "user", "user": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "bard": "assistant", "model": "assistant",
    "system": "system", "developer": "system",
}  # fmt: skip
_KEYS = (("from", "value"), ("role", "content"), ("role", "value"), ("role", "text"))


def messages_of(cell: Any, system: Any = None) -> tuple[Message, ...] | str:
    """The messages up to the last answer; or a reason to count by why they are none that can be learned from.

    `system`: the text of a system message beside them, if there is one.
    """
    turns = turns_of(cell)
    if isinstance(turns, str):
        return turns
    if system is not None and not isinstance(system, str):
        return NOT_ONLY_TEXT
    return answered([Message("system", system), *turns] if system and system.strip() else turns)


def answered(turns: Sequence[Message]) -> tuple[Message, ...] | str:
    """The turns up to the last answer, if the user begins, perhaps behind a system message; or a reason."""
    turns = list(turns)
    while turns and turns[-1].role != "assistant":
        turns.pop()
    if not turns:
        return NO_ANSWER
    said = turns[turns[0].role == "system" :]
    if any(turn.role == "system" for turn in said):
        return LATE_SYSTEM
    if said[0].role != "user":
        return NOT_USERS
    return tuple(turns)


def turns_of(cell: Any) -> list[Message] | str:
    """Every turn, whoever begins; or a reason."""
    turns: list[Message] = []
    found = _listed(cell)
    if not found:
        return NO_TURNS
    for each in found:
        if not isinstance(each, Mapping):
            return NO_TURNS
        for role, text in _said(each):
            text = _text(text)
            if role is None:
                return UNKNOWN_FORM
            known = SPELLINGS.get(role.strip().lower()) if isinstance(role, str) else None
            if known is None:
                return UNKNOWN_ROLE
            if text is None:
                return NOT_ONLY_TEXT
            if not text.strip():
                return EMPTY_ANSWER if known == "assistant" else EMPTY_TURN
            turns.append(Message(known, text))
    return turns


def _listed(cell: Any) -> Sequence[Any]:
    """The turns as a list; empty where the cell is none."""
    if isinstance(cell, str) and cell.lstrip().startswith(("[", "{")):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            return ()
    if isinstance(cell, Mapping) and cell and all(isinstance(each, list) for each in cell.values()):
        return [dict(zip(cell, values, strict=False)) for values in zip(*cell.values(), strict=False)]
    return cell if isinstance(cell, list) else ()


def _said(turn: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """(role, text) of each thing said in a turn; the role None where the turn has none of the known forms."""
    for role, text in _KEYS:
        if turn.get(role) is not None and text in turn:
            yield turn[role], turn[text]
            return
    if "human" in turn or "assistant" in turn:
        yield from ((role, turn[role]) for role in ("human", "assistant") if role in turn)
    else:
        yield None, None


def _text(content: Any) -> str | None:
    """The text of a message; None where it is, or has, something else."""
    if content is None:
        return ""
    if isinstance(content, list):
        parts = [each.get("text") if isinstance(each, Mapping) else each for each in content]
        texts = [part for part in parts if isinstance(part, str)]
        return "".join(texts) if len(texts) == len(parts) else None
    return content if isinstance(content, str) else None
