from __future__ import annotations

import pytest

from engine.domain import Model
from engine.errors import UserError
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


def test_one_prompt_that_does_not_fit_is_an_error(tiny, monkeypatch):
    import torch

    from engine.generators import beam_search

    def full(*_):
        raise torch.OutOfMemoryError("no room")
        yield

    monkeypatch.setattr(beam_search, "beam_search", full)
    beam = Beam(Beam.Params())
    beam.load(tiny, 0)
    with pytest.raises(torch.OutOfMemoryError):
        list(beam.generate(PROMPTS[:1], 2))


def test_streaming_is_refused_in_words():
    with pytest.raises(UserError, match="choose sampling"):
        Beam(Beam.Params()).stream("x")


@pytest.mark.slow
def test_the_starter_model_answers_as_transformers_does():
    from engine.assets import STARTER_ADAPTER, STARTER_MODEL
    from engine.generators.batches import read_back

    beam = Beam(Beam.Params(max_new_tokens=32))
    beam.load(Model("a", "adapter", str(STARTER_ADAPTER), str(STARTER_MODEL)), 0)
    prompts = [f"<|fim_prefix|>{prompt}<|fim_suffix|>\n<|fim_middle|>" for prompt in PROMPTS]
    found = dict(beam.generate(prompts, 10))
    for index, prompt in enumerate(prompts):
        wanted = read_back(*by_transformers(beam.loaded, prompt, 10, 32), beam.loaded)
        assert [one.text for one in found[index]] == [one.text for one in wanted]
