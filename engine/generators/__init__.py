"""Generating completions with a model: the interface of a generator."""

from __future__ import annotations

from collections.abc import Generator as PythonGenerator
from collections.abc import Iterator, Sequence
from typing import ClassVar, Protocol

from engine.domain import Completion, Model
from engine.errors import UserError

Stream = PythonGenerator[str, None, bool]


class PromptTooLong(UserError):
    """A prompt leaves no space for a completion; the text gives both lengths in tokens."""


class Generator(Protocol):
    """Generates completions; created from its settings, and loaded once with a model in a worker process.

    A remote one calls a service over the network. Its model is of the kind "endpoint": a name that the service knows,
    without files on this machine.
    """

    name: str
    is_remote: ClassVar[bool]

    def load(self, model: Model, seed: int) -> None:
        """Load weights and tokenizer, or check that the service answers. Raises UserError for an unusable model."""

    def vocabulary(self) -> frozenset[str] | None:
        """Every token of the tokenizer, as text; None if the tokenizer is not known."""

    def count(self, prompts: Sequence[str]) -> list[int] | None:
        """Each prompt's length in tokens; None if the tokenizer is not known."""

    def room(self) -> int | None:
        """The longest prompt, in tokens, that leaves space for a completion; None if that is not known."""

    def generate(self, prompts: Sequence[str], n: int) -> Iterator[tuple[int, list[Completion] | None]]:
        """Yield (index of the prompt, its n completions, best first), in any order, as soon as they are ready.

        None instead of completions means that the prompt is too long for the model.
        """

    def stream(self, prompt: str) -> Stream:
        """Yield the text of one completion in pieces; returns True if the model ended it, False at the token limit.

        A second call with the same prompt draws a new completion. Raises PromptTooLong, and UserError if this generator
        cannot stream.
        """
