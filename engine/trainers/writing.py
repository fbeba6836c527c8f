"""Writes completions with the weights as they are in training, as token ids, by the sampling of benchmark runs.

Imports torch: for worker processes only.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from engine.domain import Completion
from engine.generators.batches import encode, padded, stop_ids
from engine.generators.sample import sample, warper
from engine.models.loading import Loaded, tokens_that_fit

FOR_PACKED_ROWS = ("varlen", "flex_attention")  # attentions that know neither padding on the left nor a cache


class Writer:
    """Draws several completions of each prompt; the same seed and step give the same ones."""

    def __init__(self, loaded: Loaded, new_tokens: int, temperature: float, seed: int) -> None:
        self._loaded, self._new_tokens, self._seed = loaded, new_tokens, seed
        self._warp = warper(temperature, 1.0, 0)
        self._stops = stop_ids(loaded)

    def ids(self, prompts: Sequence[str]) -> list[list[int]]:
        """The tokens of each prompt."""
        return encode(self._loaded.tokenizer, prompts)

    def write(self, ids: Sequence[list[int]], n: int, step: int) -> list[list[list[int]]]:
        """For each prompt, given as tokens, the tokens of `n` completions, each with the one that ended it."""
        model = self._loaded.model
        was_training = model.training
        model.eval()
        try:
            with reading_prompts(model):
                return [written for batch in self._batches(ids, n) for written in self._written(batch, n, step)]
        finally:
            model.train(was_training)

    def read(self, tokens: Sequence[int]) -> Completion:
        """The text of a completion, without the token that ended it."""
        is_finished = bool(tokens) and tokens[-1] in self._stops.tolist()
        text = self._loaded.tokenizer.decode(tokens[:-1] if is_finished else tokens, clean_up_tokenization_spaces=False)
        return Completion(text, n_tokens=len(tokens), is_finished=is_finished)

    def _batches(self, ids: Sequence[list[int]], n: int) -> Iterator[list[list[int]]]:
        """Prompts one after the other whose completions fit the memory together."""
        budget = tokens_that_fit(self._loaded)
        batch: list[list[int]] = []
        for prompt in ids:
            width = max(len(each) for each in [*batch, prompt]) + self._new_tokens
            if batch and (len(batch) + 1) * n * width > budget:
                yield batch
                batch = []
            batch.append(prompt)
        if batch:
            yield batch

    def _written(self, ids: list[list[int]], n: int, step: int) -> list[list[list[int]]]:
        rows, mask = padded(ids, self._loaded)
        seeds = [zlib.crc32(f"{self._seed} {step} {prompt}".encode()) for prompt in ids]
        found: list[list[int]] = [[] for _ in range(len(ids) * n)]
        steps = sample(self._loaded.model, rows, mask, seeds, n, self._new_tokens, self._warp, self._stops)
        for at, tokens, _ in steps:
            for place, token in zip(at.tolist(), tokens.tolist(), strict=True):
                found[place].append(token)
        return [found[start : start + n] for start in range(0, len(found), n)]


@contextmanager
def reading_prompts(model: Any) -> Iterator[None]:
    """In this context a model whose attention is one for packed rows reads prompts that are padded on the left, and
    goes on from what it has read; its compiled layers are not compiled anew for each length of a text."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    own = base.config._attn_implementation
    if own in FOR_PACKED_ROWS:
        base.set_attn_implementation("sdpa")
    try:
        with torch.compiler.set_stance("force_eager"):
            yield
    finally:
        if own in FOR_PACKED_ROWS:
            base.set_attn_implementation(own)
