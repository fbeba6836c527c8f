"""What a strategy says to the user in a turn of the role `tool`, and no model is told."""

from __future__ import annotations

STUCK = "The model repeats an answer that was already tried. Give it a hint, or raise the temperature."
SHORTENED = "Not all of this fitted into the prompt. What the model read stands with its answer."
TO_PEOPLE = (STUCK, SHORTENED)
