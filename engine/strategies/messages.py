"""What a strategy says to the user in a turn of the role `tool`, and no model is told."""

from __future__ import annotations

STUCK = "The model repeats an answer that was already tried. Give it a hint, or raise the temperature."
SHORTENED = "Not all of this fitted into the prompt. What the model read stands with its answer."
_SPENT = "The budget of "  # what a model is told begins otherwise: with what was tried, or the code as it stands


def limit_reached(limit: str, spent: str) -> str:
    """`limit`: its value with its unit, "2,000 tokens"; `spent`: how much it was."""
    return f"{_SPENT}{limit} is spent: {spent}. Repair goes on with another one."


def is_for_people(text: str) -> bool:
    """Whether the text of a turn of the role `tool` is told to no model."""
    return text in (STUCK, SHORTENED) or text.startswith(_SPENT)
