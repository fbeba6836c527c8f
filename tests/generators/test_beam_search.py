from __future__ import annotations

import shutil

import pytest
from tiny_models import make_adapter, make_model

from engine.assets import STARTER_MODEL
from engine.domain import Model
from engine.errors import UserError
from engine.generators import OUT_OF_MEMORY
from engine.generators.beam import Beam

PROMPTS = [
    "def add(a, b):\n    return a - b\n", "import", "for i in range(10):\n    print(i)\nwhile True:", "x = [1, 2, 3]",
    "class A:\n    def __init__(self, b):\n        self.b = b\n\n    def c(self):\n        return",
]  # fmt: skip


def by_transformers(loaded, prompt, beams, new_tokens):
    """What `generate` finds, one prompt at a time."""
    import torch

    from engine.generators.batches import encode, stop_ids

    ids = torch.tensor(encode(loaded.tokenizer, [prompt]))
    found = loaded.model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), num_beams=beams, num_return_sequences=beams,
        do_sample=False, max_new_tokens=new_tokens, return_dict_in_generate=True, output_scores=True,
        eos_token_id=stop_ids(loaded).tolist(), pad_token_id=6,
    )  # fmt: skip
    if beams == 1:  # greedy decoding, which has no scores of sequences
        return found.sequences[:, ids.shape[1] :], None
    return found.sequences[:, ids.shape[1] :], found.sequences_scores


@pytest.mark.parametrize(("beams", "new_tokens"), [(1, 6), (4, 12), (10, 5)])
def test_completions_are_those_of_transformers(tiny, beams, new_tokens):
    import torch

    from engine.generators.batches import read_back

    beam = Beam(Beam.Params(max_new_tokens=new_tokens))
    beam.load(tiny, 0)
    found = dict(beam.generate(PROMPTS, beams))
    assert len(found) == len(PROMPTS)
    for index, prompt in enumerate(PROMPTS):
        tokens, scores = by_transformers(beam.loaded, prompt, beams, new_tokens)
        ours = torch.tensor([one.score for one in found[index]])
        wanted = read_back(tokens, ours if scores is None else scores, beam.loaded)
        assert [one.text for one in found[index]] == [one.text for one in wanted]
        assert ours.tolist() == pytest.approx([one.score for one in wanted], abs=1e-4)


@pytest.mark.parametrize(("window", "shares"), [(None, True), (12, False)])
def test_a_model_whose_layers_forget_is_searched_in_copies(tmp_path, window, shares):
    """With a sliding window no mask can choose among all tokens, so each beam has a row of its own."""
    import torch
    from transformers import MistralConfig, MistralForCausalLM

    from engine.generators.batches import read_back
    from engine.generators.beam_tokens import shares_prompts

    torch.manual_seed(0)
    model = MistralForCausalLM(
        MistralConfig(
            hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            vocab_size=8192, sliding_window=window, eos_token_id=0, pad_token_id=6, bos_token_id=None,
        )
    )  # fmt: skip
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(50)
    model.save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(STARTER_MODEL / name, tmp_path)
    beam = Beam(Beam.Params(max_new_tokens=8))
    beam.load(Model("windowed", "base", str(tmp_path)), 0)
    assert shares_prompts(beam.loaded.model) is shares
    found = dict(beam.generate(PROMPTS, 4))
    for index, prompt in enumerate(PROMPTS):
        wanted = read_back(*by_transformers(beam.loaded, prompt, 4, 8), beam.loaded)
        assert [one.text for one in found[index]] == [one.text for one in wanted]


def test_completions_do_not_depend_on_the_batch(tiny):
    alone, together = (Beam(Beam.Params(max_new_tokens=8, batch_tokens=budget)) for budget in (1, 100_000))
    for beam in (alone, together):
        beam.load(tiny, 0)
    texts = [
        {index: [c.text for c in found] for index, found in beam.generate(PROMPTS, 4)} for beam in (alone, together)
    ]
    assert texts[0] == texts[1]


def test_a_batch_that_does_not_fit_is_halved(tiny, monkeypatch):
    import torch

    from engine.generators import beam_search

    sizes = []
    search = beam_search.beam_search

    def cramped(model, ids, *rest):
        sizes.append(len(ids))
        if len(ids) > 2:
            raise torch.OutOfMemoryError("no room")
        yield from search(model, ids, *rest)

    monkeypatch.setattr(beam_search, "beam_search", cramped)
    beam = Beam(Beam.Params(max_new_tokens=4))
    beam.load(tiny, 0)
    assert sorted(index for index, _ in beam.generate(PROMPTS, 2)) == list(range(len(PROMPTS)))
    assert sizes == [5, 3, 2, 1, 2]


def test_one_prompt_that_does_not_fit_has_no_answer_and_the_others_do(tiny, monkeypatch):
    import torch

    from engine.generators import beam_search

    search = beam_search.beam_search

    def cramped(model, ids, *rest):
        if len(ids) > 1 or ids.shape[1] == longest:
            raise torch.OutOfMemoryError("no room")
        yield from search(model, ids, *rest)

    monkeypatch.setattr(beam_search, "beam_search", cramped)
    beam = Beam(Beam.Params(max_new_tokens=4))
    beam.load(tiny, 0)
    longest = max(beam.count(PROMPTS))
    found = dict(beam.generate(PROMPTS, 2))
    unanswered = [index for index, answer in found.items() if answer == OUT_OF_MEMORY]
    assert unanswered == [max(range(len(PROMPTS)), key=beam.count(PROMPTS).__getitem__)]
    assert all(len(answer) == 2 for index, answer in found.items() if index not in unanswered)


def test_streaming_is_refused_in_words():
    with pytest.raises(UserError, match="choose sampling"):
        Beam(Beam.Params()).stream("x")


@pytest.mark.slow
def test_the_starter_model_answers_as_transformers_does():
    from engine.assets import STARTER_ADAPTER
    from engine.generators.batches import read_back

    beam = Beam(Beam.Params(max_new_tokens=32))
    beam.load(Model("a", "adapter", str(STARTER_ADAPTER), str(STARTER_MODEL)), 0)
    prompts = [f"<|fim_prefix|>{prompt}<|fim_suffix|>\n<|fim_middle|>" for prompt in PROMPTS]
    found = dict(beam.generate(prompts, 10))
    for index, prompt in enumerate(prompts):
        wanted = read_back(*by_transformers(beam.loaded, prompt, 10, 32), beam.loaded)
        assert [one.text for one in found[index]] == [one.text for one in wanted]


@pytest.mark.parametrize(("bits", "size"), [(8, 1.0), (4, 0.5)])
def test_weights_in_fewer_bits_take_less_memory_and_answer_alike(tmp_path, bits, size):
    """Bytes of a weight of a linear layer; the best completion's score is near that of the exact weights."""
    base = make_model(tmp_path / "base")
    adapter = make_adapter(tmp_path / "adapter", base)
    exact, quantised = (Beam(Beam.Params(max_new_tokens=6, base_bits=each)) for each in (16, bits))
    for beam in (exact, quantised):
        beam.load(adapter, 0)
    weight = quantised.loaded.model.base_model.model.model.layers[0].mlp.up_proj.base_layer.weight
    assert weight.numel() * weight.element_size() == size * 128 * 64
    ours, wanted = ({i: c[0].score for i, c in each.generate(PROMPTS, 4)} for each in (quantised, exact))
    assert ours == pytest.approx(wanted, abs=0.5)
    assert ours != wanted
