"""Code out of the answers of chat models: which piece of an answer is taken, and as what.

A rule is named by where the code stood and how it was read: `fence:function`. Pieces are read in the order of `HOW`;
among those that are read alike, one without a syntax error, in the bug's language, called the fix by the words above
it, and then the first one is taken. A piece that changes nothing is taken for the faulty code.
"""

from __future__ import annotations

from engine.domain import Bug, Patch
from engine.representations.answers.choosing import Choice
from engine.representations.answers.cleaning import said
from engine.representations.answers.place import place_of
from engine.representations.line_ends import plain

_HALF = 1 << 18  # characters that are read of the beginning and of the end of an answer that is very long


def patch_of(answer: str, bug: Bug) -> Patch:
    """The patched file with the rule that found it, or a sentence why there is none; never raises on any text."""
    choice = Choice(place_of(bug))
    if len(answer) > 2 * _HALF:
        answer = f"{answer[:_HALF]}\n{answer[-_HALF:]}"
    written = plain(answer).removeprefix("\ufeff")
    if choice.is_one_block(written):  # as models are trained to answer; then tokens and tags belong to the code
        choice.look_at_blocks(written)
    if not choice.found:
        heard = said(written)
        choice.is_thinking = heard.is_thinking
        choice.look_at(heard.text)
    return choice.patch()
