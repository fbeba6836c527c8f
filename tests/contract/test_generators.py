"""Every registered generator keeps the contract, with a tiny random model."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from engine.domain import Completion
from engine.errors import UserError
from engine.generators import TOO_LONG, PromptTooLong
from engine.generators.contract import check
from engine.plugins import GENERATORS

sys.path.append(str(Path(__file__).resolve().parents[1] / "generators"))

from tiny_models import tiny  # noqa: F401

SETTINGS = {"beam": {"max_new_tokens": 8}, "sampling": {"max_new_tokens": 8}}


CHECKED_ELSEWHERE = {"endpoint"}  # where there is a service to ask: tests/generators/test_endpoint.py


@pytest.mark.parametrize("name", [name for name in GENERATORS.names() if name not in CHECKED_ELSEWHERE])
def test_the_contract_holds(name, tiny):  # noqa: F811
    params = GENERATORS.params({"name": name, **SETTINGS.get(name, {})})
    check(GENERATORS.plugin(name), params, tiny)


PLAIN = [Completion("best", -0.1), Completion("good", -0.5), Completion("fair", -2.0)]


class Stub:
    """A generator without a model: a character is a token, a hundred fit, and the same three answers come every time."""

    changed: ClassVar = {}  # method -> what it gives instead
    is_remote = False

    def __init__(self, settings):
        pass

    def load(self, model, seed):
        pass

    def vocabulary(self):
        return self.changed.get("vocabulary", frozenset("abc"))

    def count(self, prompts):
        return self.changed.get("count", [len(prompt) for prompt in prompts])

    def room(self):
        return self.changed.get("room", 100)

    def generate(self, prompts, n):
        fits = self.changed.get("fits", PLAIN)
        answers = [(index, fits if len(prompt) <= 100 else TOO_LONG) for index, prompt in enumerate(prompts)]
        return iter(self.changed.get("answers", lambda found: found)(answers))

    def stream(self, prompt):
        if len(prompt) > 100 and "stream" not in self.changed:
            raise PromptTooLong("too long")
        yield self.changed.get("piece", "text")


def broken(**changed):
    return type("Broken", (Stub,), {"changed": changed})


def test_the_contract_has_nothing_against_the_stub():
    check(Stub, None, None)


def test_a_remote_generator_may_know_no_tokenizer():
    unknown = {"is_remote": True, "changed": {"vocabulary": None, "count": None, "room": None}}
    check(type("Remote", (Stub,), unknown), None, None)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (broken(vocabulary=frozenset()), "the tokenizer knows no token"),
        (broken(room=None), "a local generator knows how long a prompt may be"),
        (broken(count=None), "and not how long one is"),
        (broken(count=[1, 1, 1, 1]), "disagree"),
        (broken(count=[101, 1, 1, 999]), "disagree"),
        (broken(answers=lambda found: found[1:]), r"prompts \[1, 2, 3\] of 4 came back"),
        (broken(answers=lambda found: [(index, PLAIN) for index, _ in found]), "too long has no completions"),
        (broken(fits=TOO_LONG), "prompt 0 fits and has no completions"),
        (broken(fits=PLAIN[:2]), "2 completions instead of 3"),
        (broken(fits=PLAIN[::-1]), "not best first"),
        (broken(fits=[replace(one, score=0.1) for one in PLAIN]), "above zero"),
        (broken(fits=[replace(one, text="<|fim_middle|>x") for one in PLAIN]), "special tokens were left in"),
        (broken(answers=lambda found: found if len(found) > 1 else [(0, PLAIN[::-1])]), "other completions"),
        (broken(piece="<|endoftext|>"), "special tokens were streamed"),
        (broken(stream="goes on"), "a prompt that is too long was streamed"),
    ],
)
def test_the_contract_finds(make, said):
    with pytest.raises(AssertionError, match=said):
        check(make, None, None)


def test_a_generator_that_cannot_stream_says_so():
    def refuses(self, prompt):
        raise UserError("beam search cannot stream")

    check(type("Refusing", (Stub,), {"stream": refuses}), None, None)
