"""Beam search over many prompts at once; each prompt leaves the batch as soon as its own search has ended.

Same algorithm and same completions as transformers' `generate(num_beams=n)` with its defaults (`early_stopping=False`,
`length_penalty=1`), which a test compares token by token. `generate` keeps every prompt until the slowest is done:
15 steps are usual for a repair and 64 the limit, so most of its work is on prompts that have ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import torch

from engine.generators.beam_tokens import start

EXCLUDED = -1.0e9  # a log-probability below all real ones


@dataclass
class _Search:
    """The state of the prompts still in the batch: P prompts, n beams, N new tokens at most."""

    prompt: torch.Tensor  # (P,) which one of the batch
    running: torch.Tensor  # (P, n, N) tokens of the beams that go on
    running_scores: torch.Tensor  # (P, n) their log-probabilities
    finished: torch.Tensor  # (P, n, N) the best that ended, best first
    finished_scores: torch.Tensor  # (P, n) log-probability a token
    is_finished: torch.Tensor  # (P, n) whether that place is taken
    is_open: torch.Tensor  # (P,) whether a running beam can still beat a finished one

    def keep(self, rows: torch.Tensor) -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[rows])


@torch.inference_mode()
def beam_search(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, beams: int, new_tokens: int, stops: torch.Tensor, pad: int
) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
    """Yield (row of `ids`, its completions (beams, tokens), their mean log-probabilities (beams,)), best first.

    `ids` and `mask` are (prompts, tokens), padded on the left; `stops` the ids of the tokens that end a completion;
    places after the end hold `pad`.
    """
    written, logits = start(model, ids, mask, beams, new_tokens)
    logits = logits.repeat_interleave(beams, dim=0)  # (P x n, V)
    now = _start(ids, beams, new_tokens, pad)
    closed = torch.zeros_like(now.is_open)
    for step in range(new_tokens):
        source, ends = _step(now, logits, step, new_tokens, stops)
        ended = ~closed & (~now.is_open | ends.all(dim=1))
        for row in ended.nonzero().flatten().tolist():
            yield int(now.prompt[row]), now.finished[row, :, : step + 1].clone(), now.finished_scores[row].clone()
        closed |= ended
        if bool(closed.all()):
            return
        written.exchange(source)
        if 2 * int(closed.sum()) >= len(closed):  # moving the rest together costs one copy, so not for each prompt
            rows = (~closed).nonzero().flatten()
            now.keep(rows)
            written.keep(rows)
            closed = closed[rows]
        logits = written.add(now.running[:, :, step])


def _start(ids: torch.Tensor, beams: int, new_tokens: int, pad: int) -> _Search:
    prompts = len(ids)
    blank = ids.new_full((prompts, beams, new_tokens), pad)
    scores = torch.full((prompts, beams), EXCLUDED, device=ids.device)
    running_scores = scores.clone()
    running_scores[:, 0] = 0  # all beams are equal at first: only one of them counts
    return _Search(
        prompt=torch.arange(prompts, device=ids.device),
        running=blank,
        running_scores=running_scores,
        finished=blank.clone(),
        finished_scores=scores,
        is_finished=torch.zeros_like(scores, dtype=torch.bool),
        is_open=torch.ones(prompts, dtype=torch.bool, device=ids.device),
    )


def _step(
    now: _Search, logits: torch.Tensor, step: int, new_tokens: int, stops: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Choose the next token of every beam; returns which beam (P, n) each goes on from, and what ended."""
    prompts, beams = now.running_scores.shape
    vocabulary = logits.shape[-1]
    scores = torch.log_softmax(logits.float(), dim=-1).view(prompts, beams, vocabulary) + now.running_scores[..., None]
    # enough candidates that n can go on even when n of them end with each of the stop tokens
    candidates = max(2, 1 + len(stops)) * beams
    best, where = scores.flatten(1).topk(candidates)  # (P, candidates)
    beam, token = where // vocabulary, where % vocabulary
    written = _take(now.running, beam)  # (P, candidates, N)
    written[:, :, step] = token
    ends = torch.isin(token, stops) | (step + 1 == new_tokens)

    now.running_scores, onward = (best + ends * EXCLUDED).topk(beams)
    now.running = _take(written, onward)
    source = beam.gather(1, onward)  # (P, n)

    may_finish = ends.clone()
    may_finish[:, beams:] = False  # only the n best candidates can end
    ended_scores = best / (step + 1) + ~may_finish * EXCLUDED + ~now.is_open[:, None] * EXCLUDED
    now.finished_scores, place = torch.cat([now.finished_scores, ended_scores], dim=1).topk(beams)
    now.finished = _take(torch.cat([now.finished, written], dim=1), place)
    now.is_finished = torch.cat([now.is_finished, may_finish], dim=1).gather(1, place)

    best_running = now.running_scores[:, :1] / (step + 1)
    worst = torch.where(now.is_finished, now.finished_scores.amin(dim=1, keepdim=True), EXCLUDED)
    now.is_open = now.is_open & (best_running > worst).any(dim=1)
    if beams == 1:  # greedy decoding, which ends at its first stop token, as in `generate`
        now.is_open = now.is_open & ~now.is_finished[:, 0]
    return source, ends


def _take(sequences: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """Rows `which` (P, k) of `sequences` (P, m, N), prompt by prompt: (P, k, N)."""
    return sequences.gather(1, which[..., None].expand(-1, -1, sequences.shape[-1]))
