"""Runs prompts in batches of similar length that fit the memory; a batch that does not fit is halved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from engine.domain import Completion
from engine.generators import OUT_OF_MEMORY, TOO_LONG, NoAnswer, shares
from engine.models.loading import Loaded, tokens_that_fit

# Draws for a padded batch: ids (P, tokens), mask (P, tokens) -> row, tokens (n, new), mean log-probabilities (n,)
Draw = Callable[[torch.Tensor, torch.Tensor, list[int]], Iterator[tuple[int, torch.Tensor, torch.Tensor]]]
Answers = Iterator[tuple[int, list[Completion] | NoAnswer]]


class Batches:
    """Tokenises prompts, runs a drawing method over them and reads its completions back as text."""

    def __init__(
        self,
        loaded: Loaded,
        n: int,
        new_tokens: int,
        budget: int | None,
        copies: int,
        ends: torch.Tensor | None = None,
    ) -> None:
        """`budget`: tokens of keys and values computed at a time; None: as many as fit the free memory.

        `ends`: ids behind which the drawing method writes no more; None: those of `stop_ids`. `copies`: how often a
        prompt's own tokens are in memory for its `n` completions.
        """
        self.loaded = loaded
        self.n, self.copies = n, copies
        self.new_tokens = new_tokens
        self.ends = ends
        self.budget = budget or tokens_that_fit(loaded)

    def run(self, prompts: Sequence[str], draw: Draw) -> Answers:
        """See `engine.generators.Generator.generate`; `draw` gets the padded rows and the indices of their prompts."""
        ids = encode(self.loaded.tokenizer, prompts)
        longest = room(self.loaded, self.new_tokens)
        fitting = [index for index, tokens in enumerate(ids) if 0 < len(tokens) <= longest]
        for index in sorted(set(range(len(ids))) - set(fitting)):
            yield index, TOO_LONG
        for batch in self._split(sorted(fitting, key=lambda index: len(ids[index])), ids):
            yield from self._halving(batch, ids, draw)

    def _split(self, ordered: list[int], ids: list[list[int]]) -> Iterator[list[int]]:
        """Consecutive prompts; the longest, which comes last, sets the width of its batch."""
        batch: list[int] = []
        for index in ordered:
            width = self.copies * len(ids[index]) + self.n * self.new_tokens
            if batch and (len(batch) + 1) * width > self.budget:
                yield batch
                batch = []
            batch.append(index)
        if batch:
            yield batch

    def _halving(self, batch: list[int], ids: list[list[int]], draw: Draw) -> Answers:
        left = list(batch)
        try:
            rows, mask = padded([ids[index] for index in batch], self.loaded)
            for row, tokens, scores in draw(rows, mask, batch):
                left.remove(batch[row])
                yield batch[row], self._read_back(tokens, scores, len(ids[batch[row]]))
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        if left:  # outside the except clause, whose traceback would keep the memory allocated
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            if len(batch) == 1:
                yield batch[0], OUT_OF_MEMORY
                return
            middle = (len(left) + 1) // 2
            for half in (left[:middle], left[middle:]):
                if half:
                    yield from self._halving(half, ids, draw)

    def _read_back(self, tokens: torch.Tensor, scores: torch.Tensor, prompt_tokens: int) -> list[Completion]:
        read = read_back(tokens, scores, self.loaded, self.ends)
        parts = shares(prompt_tokens, len(read))
        return [replace(each, prompt_tokens=part) for each, part in zip(read, parts, strict=True)]


def room(loaded: Loaded, new_tokens: int) -> int:
    """The longest prompt, in tokens, that leaves space for a completion."""
    return loaded.context - new_tokens


def encode(tokenizer: Any, prompts: Sequence[str]) -> list[list[int]]:
    """Token ids as in `engine.work.build`: special tokens only if the text contains them."""
    if not prompts:
        return []
    ids: list[list[int]] = tokenizer(list(prompts), add_special_tokens=False, verbose=False)["input_ids"]
    return ids


def padded(ids: list[list[int]], loaded: Loaded) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, both (prompts, longest), with padding on the left."""
    width = max(map(len, ids))
    pad = loaded.tokenizer.pad_token_id
    rows = torch.tensor([[pad] * (width - len(row)) + row for row in ids], device=loaded.device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in ids], device=loaded.device)
    return rows, mask


def stop_ids(loaded: Loaded) -> torch.Tensor:
    """Ids that end a completion: the model's end-of-text tokens, and every special token, behind which none goes on.

    Chat models have special tokens that are only flagged as such, and in no list of their tokenizer's configuration.
    """
    configured = loaded.model.generation_config.eos_token_id
    ends = [configured] if isinstance(configured, int) else list(configured or [])
    flagged = (token for token, added in loaded.tokenizer.added_tokens_decoder.items() if added.special)
    return torch.tensor(sorted({*ends, *loaded.tokenizer.all_special_ids, *flagged}), device=loaded.device)


def line_end_ids(loaded: Loaded) -> torch.Tensor:
    """The ids of `stop_ids`, and of every token that ends a line; such a token stays part of the completion."""
    vocabulary = range(len(loaded.tokenizer))
    texts = loaded.tokenizer.batch_decode([[token] for token in vocabulary], clean_up_tokenization_spaces=False)
    ends = {token for token, text in zip(vocabulary, texts, strict=True) if "\n" in text}
    return torch.tensor(sorted({*ends, *stop_ids(loaded).tolist()}), device=loaded.device)


def read_back(
    tokens: torch.Tensor, scores: torch.Tensor, loaded: Loaded, ends: torch.Tensor | None = None
) -> list[Completion]:
    """Completions of `tokens` (n, new), each up to the first of `stop_ids`; written were those up to one of `ends`."""
    stops = set(stop_ids(loaded).tolist())
    last = stops if ends is None else set(ends.tolist())
    completions = []
    for row, score in zip(tokens.tolist(), scores.tolist(), strict=True):
        end = next((place for place, token in enumerate(row) if token in stops), len(row))
        text = loaded.tokenizer.decode(row[:end], clean_up_tokenization_spaces=False)
        written = next((place + 1 for place, token in enumerate(row) if token in last), len(row))
        completions.append(Completion(text, score, written, is_finished=end < len(row)))
    return completions


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: a GPU's error has its own type, a CPU's is a RuntimeError with this message."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
