"""Beam search: the most likely completions that the search finds; always the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from engine.domain import Completion
from engine.errors import UserError
from engine.generators import NoAnswer, Stream
from engine.generators.local import LocalModel, LocalParams
from engine.params import setting

if TYPE_CHECKING:
    import torch


class Beam(LocalModel):
    """Beam search with as many beams as completions; a score is the mean log-probability of a token, in nats."""

    name: ClassVar[str] = "beam"
    title: ClassVar[str] = "Beam search"

    class Params(LocalParams):
        """Settings of beam search."""

        name: Literal["beam"] = "beam"
        one_line: bool = setting(
            False, "end a completion after its first line: for a base model, which was not trained to stop", more=True
        )

    params: Params

    def __init__(self, params: Beam.Params) -> None:
        self.params = params

    def generate(self, prompts: Sequence[str], n: int) -> Iterator[tuple[int, list[Completion] | NoAnswer]]:
        from engine.generators.batches import Batches, line_end_ids, stop_ids
        from engine.generators.beam_search import beam_search
        from engine.generators.beam_tokens import shares_prompts

        loaded, new_tokens = self.loaded, self.params.max_new_tokens
        stops = line_end_ids(loaded) if self.params.one_line else stop_ids(loaded)
        pad = loaded.tokenizer.pad_token_id

        def draw(
            ids: torch.Tensor, mask: torch.Tensor, _: list[int]
        ) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
            return beam_search(loaded.model, ids, mask, n, new_tokens, stops, pad)

        copies = 1 if shares_prompts(loaded.model) else n
        yield from Batches(loaded, n, new_tokens, self.params.batch_tokens, copies, stops).run(prompts, draw)

    def stream(self, prompt: str) -> Stream:
        raise UserError(
            "beam search knows its best completion only at the end, so it cannot be streamed; choose sampling",
            field="generator",
        )
