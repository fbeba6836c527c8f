"""What a model is told about an attempt that failed; the same text is a turn of the conversation and in the prompt."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

from engine.domain import Bug, Patch, Verdict, lines_of
from engine.failures.budget import Count, fitting, most_tokens
from engine.failures.telling import in_one_line, parts_of

__all__ = ["Amount", "brief", "in_one_line", "told"]
MOST_TRIED = 8  # lines of an attempt
MOST_CHARS = 160  # of an answer that holds no patch
ANOTHER = "; a different repair is wanted"  # whoever asks after a plausible patch


@dataclass(frozen=True)
class Amount:
    """How much is told of one attempt."""

    all_tests: bool = False  # of all tests that failed, and not only of the first
    with_source: bool = True  # with the source of these tests
    tokens: int = 400  # of what is said of the failure


def told(
    bug: Bug, verdict: Verdict, patch: Patch | None, answer: str, amount: Amount, count: Count = most_tokens
) -> str:
    """What was tried, what failed in one line, and after an empty line what else is known.

    `patch` is None for the code as it stands, which nobody tried. `answer`: what the model wrote, for an attempt that
    is no patch. `count`: the length of a text in tokens.
    """
    patched = patch.text if patch else bug.buggy
    parts = parts_of(verdict, bug, patched, all_tests=amount.all_tests, with_source=amount.with_source)
    headline, _, details = fitting(parts, amount.tokens, count).partition("\n")
    headline += ANOTHER if verdict.is_plausible else ""
    first = f"{_tried(bug, patch, answer)}\n{headline}" if patch else f"the code as it stands: {headline}"
    return f"{first}\n\n{details}" if details else first


def brief(text: str) -> str:
    """The first part of what was told: what was tried, and what failed in one line."""
    return text.partition("\n\n")[0]


def _tried(bug: Bug, patch: Patch | None, answer: str) -> str:
    """`tried: return a * b`, or several lines below each other."""
    if patch is None or patch.text is None:
        lines = [line.strip() for line in answer.splitlines() if line.strip()]
        return f"tried: {'; '.join(lines)[:MOST_CHARS] or '(nothing)'}"
    lines = [line for line in _changed(bug.buggy, patch.text) if line.strip()]
    if not lines:
        return "tried: (the code unchanged)" if patch.text == bug.buggy else "tried: (lines deleted)"
    shown = dedent("".join(f"{line.rstrip()}\n" for line in lines[:MOST_TRIED])).splitlines()
    if len(lines) == 1:
        return f"tried: {shown[0]}"
    more = [f"({len(lines) - MOST_TRIED} more lines)"] if len(lines) > MOST_TRIED else []
    return "\n  ".join(["tried:", *shown, *more])


def _changed(old: str, new: str) -> list[str]:
    """The lines of `new` from the first to the last one that differs."""
    before, after = lines_of(old), lines_of(new)
    most = min(len(before), len(after))
    head = next((at for at in range(most) if before[at] != after[at]), most)
    tail = next((at for at in range(most - head) if before[-1 - at] != after[-1 - at]), most - head)
    return after[head : len(after) - tail]
