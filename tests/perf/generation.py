"""Beam search over all bugs of the pocket benchmark, against transformers' `generate` for one bug at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from figures import Figure

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.domain import Model
from engine.generators.beam import Beam
from engine.plugins import BENCHMARKS, REPRESENTATIONS
from engine.representations import CannotShow

BEAMS = 10
ROUNDS = 3


def measure() -> Iterator[Figure]:
    beam = Beam(Beam.Params())
    beam.load(Model("starter-adapter", "adapter", str(STARTER_ADAPTER), str(STARTER_MODEL)), 0)
    prompts = _prompts()
    rounds = [(_timed(_together, beam, prompts), _timed(_one_by_one, beam, prompts)) for _ in range(ROUNDS)]
    (_, ours), (_, theirs) = rounds[0]
    together, alone = (median(each[way][0] for each in rounds) for way in (0, 1))
    yield Figure("beam search, against one bug at a time", alone / together, "times", 4, is_least=True)
    yield Figure("beam search, starter model, prompts", len(prompts) / together, "prompts/s", 7, is_least=True)
    differ = sum(one != other for one, other in zip(ours, theirs, strict=True))
    yield Figure("prompts with other completions than generate's", differ, "prompts", 0)


def _prompts() -> list[str]:
    shown = REPRESENTATIONS.from_value("ir4_or2")
    prompts = []
    for bug in BENCHMARKS.from_value("pocket").bugs():
        try:
            prompts.append(str(shown.encode(bug).prompt))
        except CannotShow:
            continue
    return prompts


def _timed(way: Any, beam: Beam, prompts: list[str]) -> tuple[float, list[list[str]]]:
    started = time.perf_counter()
    found = way(beam, prompts)
    return time.perf_counter() - started, found


def _together(beam: Beam, prompts: list[str]) -> list[list[str]]:
    found = dict(beam.generate(prompts, BEAMS))
    return [[one.text for one in found[index]] for index in range(len(prompts))]


def _one_by_one(beam: Beam, prompts: list[str]) -> list[list[str]]:
    import torch

    from engine.generators.batches import encode, read_back, stop_ids

    loaded, found = beam.loaded, []
    for prompt in prompts:
        ids = torch.tensor(encode(loaded.tokenizer, [prompt]))
        written = loaded.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), num_beams=BEAMS, num_return_sequences=BEAMS,
            do_sample=False, max_new_tokens=beam.params.max_new_tokens, return_dict_in_generate=True,
            output_scores=True, eos_token_id=stop_ids(loaded).tolist(), pad_token_id=loaded.tokenizer.pad_token_id,
        )  # fmt: skip
        texts = read_back(written.sequences[:, ids.shape[1] :], written.sequences_scores, loaded)
        found.append([one.text for one in texts])
    return found
