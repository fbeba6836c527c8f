"""Bug to prompt and target, completion to patch: the interface of a representation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from engine.domain import Bug, Patch, Prompt, Sample
from engine.errors import UserError


class CannotShow(UserError):
    """This representation cannot show this bug; the text is a reason to count by, without the bug's name."""


class Representation(Protocol):
    """One way to show a bug to a model and to read its answer; the same for training and for benchmarks."""

    name: str

    def encode(self, bug: Bug, notes: Sequence[str] = ()) -> Sample:
        """Prompt and target. The prompt never holds the fix; the end-of-text token is not part of the target.

        A prompt of messages is written in a chat model's own template by whoever asks for it
        (`engine.representations.chat_template`), and the token that ends an answer is added there.

        `notes`: what a conversation knows besides the code, each of one or more lines, shown where the fault is.

        Raises CannotShow where `decode` could not give the fix back, or the code holds a special token's text.
        """

    def trim(self, completion: str, bug: Bug) -> str:
        """The part of an unfinished answer that belongs into the hole: some models are not trained to stop."""

    def decode(self, completion: str, bug: Bug) -> Patch:
        """The patched file. `decode(encode(bug).target, bug)` is the known fix; never raises on any text."""

    def for_vocabulary(self, vocabulary: frozenset[str] | None) -> Representation:
        """This representation with the special tokens of a tokenizer, given all its tokens; None: they are not known.

        Raises UserError where the tokenizer lacks what it needs.
        """


@dataclass(frozen=True)
class Exchange:
    """An earlier answer of the model, and what was said after it."""

    answer: str
    notes: tuple[str, ...]


@runtime_checkable
class Converses(Protocol):
    """A representation for models that were trained on conversations."""

    def converse(self, bug: Bug, notes: Sequence[str], exchanges: Sequence[Exchange]) -> Prompt:
        """The question with `notes`, then each answer and what was said after it as messages that alternate.

        Ends with a message that asks for another answer. Raises CannotShow.
        """


@runtime_checkable
class Explains(Protocol):
    """A representation for models that answer in words, too."""

    def question(self, bug: Bug, notes: Sequence[str] = ()) -> Prompt:
        """What asks for the root cause of the fault, and for no code; `notes` as in `encode`. Raises CannotShow."""


def cause_question(representation: Representation, bug: Bug, notes: Sequence[str] = ()) -> Prompt:
    """What asks a model for the root cause of a fault.

    Raises CannotShow, and UserError where the representation is for models that only fill in code.
    """
    if not isinstance(representation, Explains):
        raise UserError(
            f"representation: {representation.name} is for models that fill in code, and these cannot explain a fault; "
            "choose instruct with a model that was trained to chat, or another strategy, such as test_feedback",
            field="representation",
        )
    return representation.question(bug, notes)


def next_question(
    representation: Representation, bug: Bug, notes: Sequence[str], exchanges: Sequence[Exchange]
) -> Prompt:
    """A conversation where the representation is for one; otherwise one question, with all that was said as notes.

    `notes`: what is known before the first answer. Raises CannotShow.
    """
    if isinstance(representation, Converses):
        return representation.converse(bug, notes, exchanges)
    return representation.encode(bug, [*notes, *(note for each in exchanges for note in each.notes)]).prompt
