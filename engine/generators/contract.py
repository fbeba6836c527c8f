"""What always holds of a generator; run on every registered one."""

from __future__ import annotations

from engine.domain import Model
from engine.errors import UserError
from engine.generators import Generator, PromptTooLong

PROMPTS = ("def add(a, b):\n    return a", "x", "class Account:\n    def deposit(self, amount):\n        self.balance")


def check(make: type[Generator], settings: object, model: Model, n: int = 3) -> None:
    """Draw for prompts of several lengths. `make(settings)` gives a fresh generator.

    Raises AssertionError naming the broken promise.
    """
    generator = make(settings)  # type: ignore[call-arg]
    generator.load(model, 0)
    assert generator.vocabulary(), "the tokenizer knows no token"
    too_long = "x = 1\n" * (generator.room() + 1)
    lengths = generator.count([*PROMPTS, too_long])
    assert lengths[-1] > generator.room() >= max(lengths[:-1]), f"count() and room() disagree: {lengths}"

    drawn = dict(generator.generate([*PROMPTS, too_long], n))
    assert sorted(drawn) == list(range(len(PROMPTS) + 1)), f"prompts {sorted(drawn)} of {len(PROMPTS) + 1} came back"
    assert drawn[len(PROMPTS)] is None, "a prompt that is too long has no completions"
    for index in range(len(PROMPTS)):
        completions = drawn[index]
        assert completions is not None, f"prompt {index} fits and has no completions"
        assert len(completions) == n, f"{len(completions)} completions instead of {n}"
        scores = [completion.score for completion in completions if completion.score is not None]
        assert scores == sorted(scores, reverse=True), f"not best first: {scores}"
        assert all(score <= 0 for score in scores), f"log-probabilities above zero: {scores}"
        assert not any("<|" in completion.text for completion in completions), "special tokens were left in"
    again = make(settings)  # type: ignore[call-arg]
    again.load(model, 0)
    texts = [[one.text for one in found or ()] for found in (dict(again.generate(PROMPTS[:1], n))[0], drawn[0])]
    assert texts[0] == texts[1], "same seed, alone in its batch: other completions"
    _check_stream(generator, too_long)


def _check_stream(generator: Generator, too_long: str) -> None:
    try:
        pieces = list(generator.stream(PROMPTS[0]))
    except UserError:
        return  # refused, as it should be by a method that cannot stream
    assert not any("<|" in piece for piece in pieces), "special tokens were streamed"
    try:
        list(generator.stream(too_long))
    except PromptTooLong:
        return
    raise AssertionError("a prompt that is too long was streamed")
