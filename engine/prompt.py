"""What a model reads: a text, or the messages of a chat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One message of a chat, as chat templates and chat services take it."""

    role: Role
    text: str


Prompt = str | tuple[Message, ...]  # what a model reads: a text to go on from, or the messages of a chat to answer


def as_text(prompt: Prompt) -> str:
    """A prompt for people: messages one after the other, each under its role."""
    return prompt if isinstance(prompt, str) else "\n\n".join(f"[{each.role}]\n{each.text}" for each in prompt)
