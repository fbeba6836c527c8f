"""A generator that imitates a remote service: it has no model and no tokenizer."""

from __future__ import annotations

from typing import ClassVar, Literal

from engine import params
from engine.domain import Completion


class Sample:
    """Answers every prompt alike."""

    name: ClassVar[str] = "sample"
    is_remote: ClassVar[bool] = True

    class Params(params.Params):
        """Nothing to set."""

        name: Literal["sample"] = "sample"

    def __init__(self, params):
        pass

    def load(self, model, seed):
        pass

    def vocabulary(self):
        return None

    def count(self, prompts):
        return None

    def room(self):
        return None

    def generate(self, prompts, n):
        for index, _ in enumerate(prompts):
            yield (
                index,
                [Completion("    return a + b\n"), *(Completion(f"    return {number}\n") for number in range(1, n))],
            )

    def stream(self, prompt):
        yield "    return a + b\n"
        return True
