"""Generating completions with a model: the interface of a generator."""

from __future__ import annotations

from collections.abc import Generator as PythonGenerator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from engine.domain import Completion, Model, Prompt
from engine.errors import UserError

MOST_TOKENS = 1 << 31  # of one request; a larger count is no count
Stream = PythonGenerator[str, None, bool]


class PromptTooLong(UserError):
    """A prompt leaves no space for a completion; the text gives both lengths in tokens."""


@dataclass(frozen=True)
class NoAnswer:
    """Why a prompt has no completions; the kind of reason stands before a colon."""

    reason: str


TOO_LONG = NoAnswer("too_long: the generator accepts no prompt of this length")
OUT_OF_MEMORY = NoAnswer("out_of_memory: its completions do not fit the memory, even alone")


def shares(tokens: object, n: int) -> list[int | None]:
    """`tokens` in `n` whole parts that differ by one at most and sum up to it.

    None where they are not known, or are a number that cannot be: a service may say anything, and an event with such a
    number could not be stored, nor could the patch that it tells of.
    """
    if type(tokens) is not int or not 0 <= tokens <= MOST_TOKENS:
        return [None] * n
    return [tokens // n + (place < tokens % n) for place in range(n)]


class Generator(Protocol):
    """Generates completions; created from its settings, and loaded with a model in a worker process.

    A remote one asks a service over the network. Its model is of the kind "endpoint": a name that the service knows,
    without files on this machine. Only it is given messages: for a local one the model's chat template has made text of
    them (`engine.representations.chat_template`).
    """

    name: str
    is_remote: ClassVar[bool]

    def load(self, model: Model, seed: int) -> None:
        """Load weights and tokenizer, or check that the service answers. Raises UserError for an unusable model.

        A second call replaces the model by another one, mostly one with the same base model.
        """

    def vocabulary(self) -> frozenset[str] | None:
        """Every token of the tokenizer, as text; None if the tokenizer is not known."""

    def count(self, prompts: Sequence[Prompt]) -> list[int] | None:
        """Each prompt's length in tokens; None where the tokenizer is not known."""

    def room(self) -> int | None:
        """The longest prompt, in tokens, that leaves space for a completion; None if that is not known."""

    def generate(self, prompts: Sequence[Prompt], n: int) -> Iterator[tuple[int, list[Completion] | NoAnswer]]:
        """Yield (index of the prompt, its n completions, best first), in any order, as they are ready.

        One that draws at random has `draws_again = True` and takes a third argument, `draw`: another number from 0 on
        gives other completions of the same prompt. Without it the same prompt has the same completions.
        """

    def stream(self, prompt: Prompt) -> Stream:
        """The text of one completion, piece by piece; returns whether the model ended it, and not its token limit.

        A second call with the same prompt draws a new completion. Raises PromptTooLong, and UserError if this generator
        cannot stream.
        """


@runtime_checkable
class OnThisMachine(Protocol):
    """A generator that knows which of its run's GPUs it uses; of any other that is not known."""

    def gpus(self) -> int:
        """How many GPUs hold its weights; 0 on a CPU."""


@runtime_checkable
class TellsUsage(Protocol):
    """A generator whose service counts the tokens that it reads and writes."""

    def usage(self) -> tuple[int | None, int | None]:
        """Tokens read and written of the last completion that was streamed to its end; None: not told."""


@runtime_checkable
class DrawsAgain(Protocol):
    """A generator that draws at random, and answers a prompt that is streamed again otherwise than before."""

    def drawn_before(self, prompt: Prompt, times: int) -> None:
        """Another process has streamed this prompt so often; the next completion is none of those."""


@runtime_checkable
class SharesModel(Protocol):
    """A generator that can use the model which another one has loaded."""

    loads: ClassVar[tuple[str, ...]]  # the settings that say which weights are loaded, and how

    def take_over(self, other: Generator) -> bool:
        """Use its model; False where it has none that this one can use with its own settings. `other` is then over."""
