"""The contract test of a generator, run on every registered one."""

from __future__ import annotations

from engine.domain import Completion, Model
from engine.errors import UserError
from engine.generators import TOO_LONG, Generator, NoAnswer, PromptTooLong
from engine.params import Params
from engine.plugins import Plugin

PROMPTS = ("def add(a, b):\n    return a", "x", "class Account:\n    def deposit(self, amount):\n        self.balance")


def check(make: Plugin[Generator], settings: Params, model: Model, n: int = 3) -> None:
    """Generate for prompts of several lengths. `make(settings)` returns a new generator.

    Raises AssertionError if the contract is violated.
    """
    generator = make(settings)
    generator.load(model, 0)
    assert generator.vocabulary() != frozenset(), "the tokenizer knows no token"
    prompts, room = list(PROMPTS), generator.room()
    assert room is not None or generator.is_remote, "a local generator knows how long a prompt may be"
    too_long = "" if room is None else "x = 1\n" * (room + 1)
    if room is not None:
        prompts.append(too_long)
        lengths = generator.count(prompts)
        assert lengths is not None, "it knows how long a prompt may be, and not how long one is"
        assert lengths[-1] > room >= max(lengths[:-1]), f"count() and room() disagree: {lengths}"

    drawn = dict(generator.generate(prompts, n))
    assert sorted(drawn) == list(range(len(prompts))), f"prompts {sorted(drawn)} of {len(prompts)} came back"
    assert room is None or drawn[len(PROMPTS)] == TOO_LONG, "a prompt that is too long has no completions"
    for index in range(len(PROMPTS)):
        completions = drawn[index]
        assert not isinstance(completions, NoAnswer), f"prompt {index} fits and has no completions"
        assert len(completions) == n, f"{len(completions)} completions instead of {n}"
        scores = [completion.score for completion in completions if completion.score is not None]
        assert scores == sorted(scores, reverse=True), f"not best first: {scores}"
        assert all(score <= 0 for score in scores), f"log-probabilities above zero: {scores}"
        assert not any("<|" in completion.text for completion in completions), "special tokens were left in"
    again = make(settings)
    again.load(model, 0)
    alone = dict(again.generate(PROMPTS[:1], n))[0]
    assert _texts(alone) == _texts(drawn[0]), "same seed, alone in its batch: other completions"
    if getattr(again, "draws_again", False):
        other = dict(again.generate(PROMPTS[:1], n, 1))[0]  # type: ignore[call-arg]
        assert _texts(other) != _texts(alone), "another draw has the same completions"
        assert _texts(dict(again.generate(PROMPTS[:1], n, 0))[0]) == _texts(alone), "the same draw has others"  # type: ignore[call-arg]
    again.load(model, 0)
    assert _texts(dict(again.generate(PROMPTS[:1], n))[0]) == _texts(alone), "loaded a second time: other completions"
    _check_stream(generator, too_long)


def _texts(found: list[Completion] | NoAnswer) -> list[str]:
    return [] if isinstance(found, NoAnswer) else [one.text for one in found]


def _check_stream(generator: Generator, too_long: str) -> None:
    try:
        pieces = list(generator.stream(PROMPTS[0]))
    except UserError:
        return  # refused, as it should be by a method that cannot stream
    assert not any("<|" in piece for piece in pieces), "special tokens were streamed"
    if not too_long:
        return
    try:
        list(generator.stream(too_long))
    except PromptTooLong:
        return
    raise AssertionError("a prompt that is too long was streamed")
