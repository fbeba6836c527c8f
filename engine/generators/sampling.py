"""Sampling: completions drawn at random from the model's distribution, repeatable by seed."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from engine import params
from engine.domain import Completion
from engine.generators import PromptTooLong, Stream
from engine.generators.local import LocalModel
from engine.params import setting

if TYPE_CHECKING:
    import torch

    from engine.generators.sample import Warp


class Sampling(LocalModel):
    """Temperature, top-p and top-k sampling; a score is the mean log-probability of a token, in nats."""

    name: ClassVar[str] = "sampling"
    title: ClassVar[str] = "Sampling"

    class Params(params.Params):
        """Settings of sampling."""

        name: Literal["sampling"] = "sampling"
        temperature: float = setting(0.8, "lower: more likely tokens, higher: more varied ones", gt=0, le=5)
        top_p: float = setting(
            0.95, "draw among the most likely tokens that together have this probability", gt=0, le=1
        )
        max_new_tokens: int = setting(64, "the longest completion", unit="tokens", ge=1, le=8192)
        top_k: int = setting(
            0, "draw among this many most likely tokens; 0: all", unit="tokens", more=True, ge=0, le=10**6
        )
        batch_tokens: int | None = setting(
            None,
            "prompts x samples x tokens computed at a time; empty: as many as fit the memory",
            unit="tokens",
            more=True,
            ge=1,
        )

    def __init__(self, params: Sampling.Params) -> None:
        self.params = params
        self._streamed: Counter[str] = Counter()  # prompt -> draws so far; each call gets the next one

    def generate(self, prompts: Sequence[str], n: int) -> Iterator[tuple[int, list[Completion] | None]]:
        from engine.generators.batches import Batches, stop_ids

        stops = stop_ids(self.loaded)

        def draw(
            ids: torch.Tensor, mask: torch.Tensor, batch: list[int]
        ) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
            return self._draw(ids, mask, [self._seed_of(prompts[index], 0) for index in batch], n, stops)

        batches = Batches(self.loaded, n, self.params.max_new_tokens, self.params.batch_tokens)
        for index, completions in batches.run(prompts, draw):
            yield index, completions and sorted(completions, key=lambda one: -(one.score or 0.0))

    def stream(self, prompt: str) -> Stream:
        from engine.generators.batches import encode, padded, stop_ids
        from engine.generators.sample import sample

        ids = encode(self.loaded.tokenizer, [prompt])
        if len(ids[0]) > self.room():
            raise PromptTooLong(f"the prompt is {len(ids[0])} tokens long, and the model takes {self.room()}")
        rows, mask = padded(ids, self.loaded)
        self._streamed[prompt] += 1
        seed = self._seed_of(prompt, self._streamed[prompt])
        special = set(stop_ids(self.loaded).tolist())
        written: list[int] = []
        shown, is_finished = "", False
        for tokens, _ in sample(self.loaded.model, rows, mask, [seed], 1, self.params.max_new_tokens, self._warp()):
            if int(tokens) in special:
                is_finished = True
                break
            written.append(int(tokens))
            text = self.loaded.tokenizer.decode(written, clean_up_tokenization_spaces=False)
            if not text.endswith("\ufffd"):  # part of a character: the next token has the rest
                yield text[len(shown) :]
                shown = text
        text = self.loaded.tokenizer.decode(written, clean_up_tokenization_spaces=False)
        if text != shown:
            yield text[len(shown) :]
        return is_finished

    def _draw(
        self, ids: torch.Tensor, mask: torch.Tensor, seeds: list[int], n: int, stops: torch.Tensor
    ) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
        import torch

        from engine.generators.sample import sample

        drawn, likely = [], []
        going = torch.ones(len(ids), n, dtype=torch.bool, device=ids.device)
        for tokens, scores in sample(self.loaded.model, ids, mask, seeds, n, self.params.max_new_tokens, self._warp()):
            drawn.append(torch.where(going, tokens, stops[0]))
            likely.append(torch.where(going, scores, 0.0))
            going &= ~torch.isin(tokens, stops)
            if not bool(going.any()):
                break
        tokens, scores = torch.stack(drawn, dim=2), torch.stack(likely, dim=2)  # (P, n, new)
        lengths = (~torch.isin(tokens, stops)).sum(dim=2) + 1  # with the stop token, as beam search counts
        means = scores.sum(dim=2) / lengths.clamp(max=tokens.shape[2])
        for row in range(len(ids)):
            yield row, tokens[row], means[row]

    def _warp(self) -> Warp:
        from engine.generators.sample import warper

        return warper(self.params.temperature, self.params.top_p, self.params.top_k)

    def _seed_of(self, prompt: str, draw: int) -> int:
        # 32 bits, since torch's CPU generator uses no more
        return zlib.crc32(f"{self._seed} {draw} {prompt}".encode("utf-8", "replace"))
