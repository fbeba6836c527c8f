"""A repair conversation as a file: Markdown for people, with the messages of one branch; JSON with all of them.

The JSON is our own: `{"format", "title", "bug", "benchmark", "model", "settings", "created_at", "turns"}`, each turn as
in the worker's events (`engine.events.TurnEvent`), with the number of the message that it follows as `parent`, and the
`model` and `settings` with which it was asked where they are known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.events import TurnEvent
from engine.strategies.messages import is_for_people

FORMAT = "repair-studio conversation 1"
WHO = {"user": "You", "assistant": "Model", "tool": "Test results"}


@dataclass(frozen=True)
class Dialogue:
    """A conversation with its messages, as they came; `shown`: numbers of those of one branch."""

    title: str
    bug: str
    benchmark: Mapping[str, Any]
    model: str
    settings: Mapping[str, Any]
    created_at: float  # seconds since the epoch
    turns: Sequence[TurnEvent]
    shown: Sequence[int]


def as_json(dialogue: Dialogue) -> str:
    """All messages, of all branches."""
    turns = [{key: value for key, value in asdict(turn).items() if key != "conversation"} for turn in dialogue.turns]
    values = {key: value for key, value in vars(dialogue).items() if key not in ("turns", "shown")}
    return json.dumps({"format": FORMAT, **values, "turns": turns}, indent=2, ensure_ascii=False) + "\n"


def as_markdown(dialogue: Dialogue, diffs: Mapping[int, str]) -> str:
    """The shown branch. `diffs`: number of a message -> its patch as a unified diff.

    Every text stands in a fence that is longer than any in it, so that nothing in it is read as Markdown or HTML.
    """
    title = dialogue.title or f"Repair of {dialogue.bug}"
    turns = [turn for turn in dialogue.turns if turn.number in dialogue.shown]
    models = [*dict.fromkeys(turn.model for turn in turns if turn.role == "assistant" and turn.model)]
    models = models or [dialogue.model]
    named = f"model{'s' if len(models) > 1 else ''} {', '.join(map(_code, models))}"
    parts = [f"# {_plain(title)}", f"Bug {_code(dialogue.bug)}, {named}"]
    for turn in turns:
        verdict = f": {turn.verdict.outcome.value.replace('_', ' ')}" if turn.verdict else ""
        parts.append(f"## {turn.number}. {_who(turn, is_named=len(models) > 1)}{verdict}")
        if turn.patch_reason:
            parts.append(_fenced(turn.patch_reason))
        if diffs.get(turn.number):
            parts.append(_fenced(diffs[turn.number], "diff"))
        elif turn.text:
            parts.append(_fenced(turn.text))
        if turn.verdict and turn.verdict.log and not turn.verdict.verdict.is_plausible:
            parts.append(f"Test output:\n\n{_fenced(turn.verdict.log)}")
    return "\n\n".join(parts) + "\n"


def _who(turn: TurnEvent, *, is_named: bool) -> str:
    """Who says it; `is_named`: several models speak."""
    if turn.role == "tool" and is_for_people(turn.text):
        return "Studio"
    name = f" {_code(turn.model)}" if is_named and turn.role == "assistant" and turn.model else ""
    return WHO.get(turn.role, "Model") + name


def _fenced(text: str, language: str = "") -> str:
    fence = "`" * max(3, 1 + max((len(ticks) for ticks in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"


def _code(text: str) -> str:
    """Inline code (https://spec.commonmark.org/0.31.2/#code-spans)."""
    ticks = "`" * (1 + max((len(each) for each in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{space}{' '.join(text.split())}{space}{ticks}"


def _plain(text: str) -> str:
    """One line without any mark of Markdown or HTML."""
    return re.sub(r"([\\`*_{}\[\]<>#|&~])", r"\\\1", " ".join(text.split()))
