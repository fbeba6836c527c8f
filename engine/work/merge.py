"""Merges an adapter into its base model, and checks on real prompts that the result answers the same."""

from __future__ import annotations

import gc
import logging
import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch

from engine.artifacts import atomic_folder
from engine.domain import Bug, Model, as_text
from engine.errors import UserError
from engine.events import Progress
from engine.generators.batches import encode, stop_ids
from engine.models.loading import Loaded, load
from engine.params import Params
from engine.plugins import BENCHMARKS, REPRESENTATIONS
from engine.representations import CannotShow
from engine.representations.chat_template import for_model
from engine.rundir import Inputs, RunDir
from engine.specs import MergeSpec

log = logging.getLogger(__name__)
# Largest difference of two logits due to rounding, as a share of the largest logit: twice the measured value
TOLERANCE = {"float32": 1e-5, "float16": 1e-2, "bfloat16": 8e-2}
POSITIONS = 64  # at the end of each prompt, whose logits are compared
NEW_TOKENS = 64


def merge(spec: MergeSpec, inputs: Inputs, run: RunDir) -> dict[str, Any]:
    """Write the merged model to `run.artifacts / "model"` and return how far it differs from the adapter.

    Raises UserError if the adapter does not fit its base model.
    """
    model = inputs.model
    if model is None or model.kind != "adapter":
        what = f"{model.name!r} is a {model.kind} model" if model else "no model was named"
        raise UserError(f"only an adapter can be merged, and {what}", field="adapter")
    dtype: torch.dtype = getattr(torch, spec.dtype)
    run.emit(Progress(0, 4, "loading the adapter and its base model"))
    apart = load(model, dtype, merge=False)
    prompts = _prompts(apart, model, spec)
    run.emit(Progress(1, 4, f"asking the adapter about {len(prompts)} bugs"))
    before = list(_answers(apart, prompts.values()))

    run.emit(Progress(2, 4, "merging and saving"))
    whole = apart.model.merge_and_unload()
    folder = run.artifacts / "model"
    with atomic_folder(folder) as unfinished:
        whole.save_pretrained(unfinished)
        apart.tokenizer.save_pretrained(unfinished)
    parameters = sum(weight.numel() for weight in whole.parameters())
    del apart, whole
    gc.collect()
    run.emit(Progress(3, 4, f"asking the merged model about {len(prompts)} bugs"))
    after = _answers(load(Model(model.name, "merged", str(folder)), dtype), prompts.values())

    differences, largests, texts = [], [], []
    for (ours, text), (merged, its_text) in zip(before, after, strict=True):
        differences.append(float((ours.float() - merged.float()).abs().max()))
        largests.append(float(ours.float().abs().max()))
        texts.append((text, its_text))
    difference, largest = _largest(differences), _largest(largests)
    same = [one == other for one, other in texts]
    tolerance = None if largest is None else TOLERANCE[spec.dtype] * largest
    usable = difference is not None and tolerance is not None and difference <= tolerance
    advice = caution(sum(same), len(same)) if usable else ""
    if difference is None:
        advice = f"some of the logits in {spec.dtype} are no finite numbers; merge with another precision"
    if advice:
        log.warning("caution: %s", advice)
    return {
        "max_logit_difference": difference,  # None: not finite
        "largest_logit": largest,
        "tolerance": tolerance,
        "usable": usable,
        "caution": advice,
        "same_patches": sum(same),
        "bugs": len(prompts),
        "parameters": parameters,
        "dtype": spec.dtype,
        "examples": [
            {"bug_id": bug_id, "adapter": one, "merged": other, "same": one == other}
            for bug_id, (one, other) in zip(prompts, texts, strict=True)
        ],
    }


def _largest(values: list[float]) -> float | None:
    """None where one of them is no finite number, which no comparison would notice."""
    return max(values) if all(map(math.isfinite, values)) else None


def caution(same: int, bugs: int) -> str:
    """A warning for a merged model within the tolerance; empty if all its patches equal the adapter's."""
    if same == bugs:
        return ""
    return (
        f"only {same} of {bugs} patches are the same as the adapter's, although the compared logits agree up to "
        "rounding; benchmark the merged model before you rely on it"
    )


def _prompts(loaded: Loaded, model: Model, spec: MergeSpec) -> dict[str, str]:
    """Bug id -> prompt for the first bugs that fit the model."""
    benchmark = BENCHMARKS.create(spec.benchmark)
    prompt_for = _prompt_function(loaded, model, spec.representation)
    prompts: dict[str, str] = {}
    for bug in benchmark.bugs():
        prompt = prompt_for(bug)
        if prompt and len(encode(loaded.tokenizer, [prompt])[0]) <= loaded.context - NEW_TOKENS:
            prompts[bug.id] = prompt
        if len(prompts) == spec.parity_bugs:
            break
    if not prompts:
        raise UserError(
            f"no bug of {spec.benchmark.name} fits this model's {loaded.context} tokens, so it cannot be checked"
        )
    return prompts


def _prompt_function(loaded: Loaded, model: Model, wanted: Params) -> Any:
    """A function from a bug to its prompt: to fill in, or for a model that cannot, to continue the code."""
    try:
        known = frozenset(loaded.tokenizer.get_vocab())
        representation = for_model(REPRESENTATIONS.create(wanted), model, known)
    except UserError:
        return lambda bug: "".join(bug.buggy.splitlines(keepends=True)[: bug.span.start - 1])

    def prompt_for(bug: Bug) -> str:
        try:
            return as_text(representation.encode(bug).prompt)
        except CannotShow:
            return ""

    return prompt_for


@torch.inference_mode()
def _answers(loaded: Loaded, prompts: Iterable[str]) -> Iterator[tuple[torch.Tensor, str]]:
    """For each prompt, the logits at its last positions on the CPU (positions, V), and the greedy answer."""
    stops = stop_ids(loaded).tolist()
    for prompt in prompts:
        ids = torch.tensor(encode(loaded.tokenizer, [prompt]), device=loaded.device)  # (1, tokens)
        logits = loaded.model(input_ids=ids, logits_to_keep=min(POSITIONS, ids.shape[1])).logits[0]
        written = loaded.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=NEW_TOKENS,
            eos_token_id=stops,
            pad_token_id=loaded.tokenizer.pad_token_id,
        )[0, ids.shape[1] :]
        text = loaded.tokenizer.decode(written, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        yield logits.cpu(), text
