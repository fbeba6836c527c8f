"""Sampling: completions drawn at random from the model's distribution, repeatable by seed."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from engine.domain import Completion, Model
from engine.generators import NoAnswer, PromptTooLong, Stream
from engine.generators.local import LocalModel, LocalParams
from engine.params import setting

if TYPE_CHECKING:
    import torch

    from engine.generators import Generator
    from engine.generators.sample import Warp


class Sampling(LocalModel):
    """Temperature, top-p and top-k sampling; a score is the mean log-probability of a token, in nats."""

    name: ClassVar[str] = "sampling"
    title: ClassVar[str] = "Sampling"
    draws_again: ClassVar[bool] = True

    class Params(LocalParams):
        """Settings of sampling."""

        name: Literal["sampling"] = "sampling"
        temperature: float = setting(0.8, "lower: more likely tokens, higher: more varied ones", gt=0, le=5)
        top_p: float = setting(
            0.95, "draw among the most likely tokens that together have this probability", gt=0, le=1
        )
        top_k: int = setting(
            0, "draw among this many most likely tokens; 0: all", unit="tokens", more=True, ge=0, le=10**6
        )

    params: Params

    def __init__(self, params: Sampling.Params) -> None:
        self.params = params
        # path of a model -> prompt -> draws so far; each call gets the next one
        self._draws: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._streamed: Counter[str] = Counter()  # those of the model that is loaded

    def load(self, model: Model, seed: int) -> None:
        super().load(model, seed)
        self._streamed = self._draws[model.path]

    def take_over(self, other: Generator) -> bool:
        """As the base class; no draw of the other one is drawn again."""
        if isinstance(other, Sampling):
            self._draws, self._streamed = other._draws, other._streamed
        return super().take_over(other)

    def generate(
        self, prompts: Sequence[str], n: int, draw: int = 0
    ) -> Iterator[tuple[int, list[Completion] | NoAnswer]]:
        from engine.generators.batches import Batches, stop_ids

        stops = stop_ids(self.loaded)

        def drawn(
            ids: torch.Tensor, mask: torch.Tensor, batch: list[int]
        ) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
            return self._draw(ids, mask, [self._seed_of(prompts[index], draw) for index in batch], n, stops)

        batches = Batches(self.loaded, n, self.params.max_new_tokens, self.params.batch_tokens, n)
        for index, completions in batches.run(prompts, drawn):
            if not isinstance(completions, NoAnswer):
                completions.sort(key=lambda one: -(one.score or 0.0))
            yield index, completions

    def drawn_before(self, prompt: str, times: int) -> None:
        self._streamed[prompt] = max(self._streamed[prompt], times)

    def stream(self, prompt: str) -> Stream:
        from engine.generators.batches import encode, padded, stop_ids
        from engine.generators.sample import sample

        ids = encode(self.loaded.tokenizer, [prompt])
        if len(ids[0]) > self.room():
            raise PromptTooLong(f"the prompt is {len(ids[0])} tokens long, and the model takes {self.room()}")
        rows, mask = padded(ids, self.loaded)
        self._streamed[prompt] += 1
        seed = self._seed_of(prompt, self._streamed[prompt])
        stops = stop_ids(self.loaded)
        special = set(stops.tolist())
        written: list[int] = []
        shown, is_finished = "", False
        steps = sample(self.loaded.model, rows, mask, [seed], 1, self.params.max_new_tokens, self._warp(), stops)
        for _, tokens, _ in steps:
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
        """Yield each prompt as soon as all its completions have ended: its row, tokens (n, new), scores (n,)."""
        import torch

        from engine.generators.sample import sample

        new_tokens = self.params.max_new_tokens
        tokens = stops[0].repeat(len(ids) * n, new_tokens)  # a place that is not written reads as the end
        sums = torch.zeros(len(tokens), device=ids.device)
        lengths = torch.zeros_like(sums)  # with the stop token, as beam search counts
        unended = Counter(dict.fromkeys(range(len(ids)), n))
        steps = sample(self.loaded.model, ids, mask, seeds, n, new_tokens, self._warp(), stops)
        for step, (rows, drawn, likely) in enumerate(steps):
            tokens[rows, step] = drawn
            sums[rows] += likely
            lengths[rows] += 1
            unended.subtract((rows[torch.isin(drawn, stops)] // n).tolist())
            for row in [row for row, left in unended.items() if not left or step + 1 == new_tokens]:
                del unended[row]
                of_row = slice(row * n, row * n + n)
                yield row, tokens[of_row], sums[of_row] / lengths[of_row]

    def _warp(self) -> Warp:
        from engine.generators.sample import warper

        return warper(self.params.temperature, self.params.top_p, self.params.top_k)

    def _seed_of(self, prompt: str, draw: int) -> int:
        # 32 bits, since torch's CPU generator uses no more
        return zlib.crc32(f"{self._seed} {draw} {prompt}".encode("utf-8", "replace"))
