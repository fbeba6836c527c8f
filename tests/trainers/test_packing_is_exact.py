"""A packed sample is computed as if it were alone: its logits are the same, whatever stands beside it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.assets import STARTER_MODEL
from engine.trainers import varlen_attention
from engine.trainers.rows import IGNORED
from engine.trainers.step_batches import Steps
from engine.trainers.step_plan import Division

DRAWN = np.random.default_rng(5)
SIZES = [40, 7, 90, 1, 33]
ROWS = [{"input_ids": DRAWN.integers(7, 8000, size).tolist(), "labels": [IGNORED] * size} for size in SIZES]


@pytest.fixture(scope="module")
def starter():
    from transformers import AutoModelForCausalLM

    varlen_attention.register()
    # in double precision, where what is left is no rounding: 4e-15 was found, and 1.4e-5 of logits up to 19 in fp32
    model = AutoModelForCausalLM.from_pretrained(STARTER_MODEL, dtype=torch.float64, local_files_only=True)
    return model.eval()


def packed(rows=ROWS, **more):
    sizes = np.array([len(row["input_ids"]) for row in rows])
    division = Division(len(rows), None, True, more.pop("multiple", 1))
    (batch,) = Steps(rows, list(range(len(rows))), len(rows), sizes, division, 6, **more).share(0)["batches"]
    return {name: value for name, value in batch.items() if name != "labels"}


def furthest(model, batch, device="cpu", dtype=torch.float32):
    """The largest difference between a logit of a packed token and of the same token in a row of its own."""
    with torch.no_grad():
        together = model(
            use_cache=False,
            **{name: value.to(device) if torch.is_tensor(value) else value for name, value in batch.items()},
        )
        model.set_attn_implementation("sdpa")
        alone = [model(input_ids=torch.tensor([row["input_ids"]], device=device)).logits[0] for row in ROWS]
    wanted = torch.cat(alone)
    return float((together.logits[0, : len(wanted)] - wanted).abs().max())


@pytest.mark.parametrize("multiple", [1, 64])
@pytest.mark.parametrize("attention", ["varlen", "sdpa"])
def test_logits_of_packed_samples_are_those_of_samples_alone(starter, attention, multiple):
    starter.set_attn_implementation(attention)
    assert furthest(starter, packed(multiple=multiple)) <= 1e-10


@pytest.mark.slow
def test_flex_attention_gives_the_same_logits(starter):
    model = starter.float()  # the only type of ours that it takes on a CPU
    try:
        model.set_attn_implementation("flex_attention")
        assert furthest(model, packed(multiple=128)) <= 1e-4
    finally:
        model.double()


def test_without_the_lengths_of_its_samples_a_packed_row_would_differ(starter):
    starter.set_attn_implementation("varlen")
    blind = {name: value for name, value in packed().items() if name in ("input_ids", "position_ids")}
    assert furthest(starter, blind) > 1e-2


def test_a_padded_batch_is_exact_too(starter):
    starter.set_attn_implementation("varlen")
    ids, width = [row["input_ids"] for row in ROWS], max(SIZES)
    padded = torch.tensor([row + [6] * (width - len(row)) for row in ids])
    seen = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
    with torch.no_grad():
        together = starter(input_ids=padded, attention_mask=seen).logits
        starter.set_attn_implementation("sdpa")
        for row, found in zip(ids, together, strict=True):
            alone = starter(input_ids=torch.tensor([row])).logits[0]
            assert float((found[: len(row)] - alone).abs().max()) <= 1e-10


def test_a_sliding_window_hides_what_is_further_back():
    query, key, value = (torch.randn(1, 2, 12, 8) for _ in range(3))
    found, _ = varlen_attention.attend(None, query, key, value, None, sliding_window=3, sample_lengths=(5, 7))
    for start, end in ((0, 5), (5, 12)):
        for place in range(start, end):
            near = slice(max(start, place - 2), place + 1)
            scores = (query[:, :, place, None] @ key[:, :, near].mT / 8**0.5).softmax(-1)
            wanted = (scores @ value[:, :, near])[:, :, 0]
            assert torch.allclose(found[:, place], wanted, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_gpus_kernel_gives_the_logits_of_samples_alone(starter):
    model = starter.to("cuda", torch.bfloat16)
    model.set_attn_implementation("varlen")
    assert furthest(model, packed(multiple=64, has_fixed_shapes=True), "cuda") <= 0.15
