from __future__ import annotations

import pytest

from engine.generators import PromptTooLong
from engine.generators.sampling import Sampling

PROMPTS = ["def add(a, b):", "x = [1, 2", "import os\nimport sys\n"]


def loaded(tiny, seed=0, **settings):
    sampling = Sampling(Sampling.Params(max_new_tokens=8, **settings))
    sampling.load(tiny, seed)
    return sampling


def texts(sampling, prompts, n=4):
    return {prompts[index]: [one.text for one in found] for index, found in sampling.generate(prompts, n)}


def test_a_seed_gives_the_same_samples_whatever_else_is_asked(tiny):
    together = texts(loaded(tiny), PROMPTS)
    alone = {prompt: texts(loaded(tiny), [prompt])[prompt] for prompt in PROMPTS}
    assert together == alone


def test_another_seed_gives_other_samples(tiny):
    assert texts(loaded(tiny, 0), PROMPTS) != texts(loaded(tiny, 1), PROMPTS)


def test_a_cold_model_always_says_the_same(tiny):
    found = texts(loaded(tiny, temperature=0.001), PROMPTS[:1])[PROMPTS[0]]
    assert len(set(found)) == 1


def test_top_k_1_draws_the_most_likely_token(tiny):
    assert len(set(texts(loaded(tiny, top_k=1, temperature=5), PROMPTS[:1])[PROMPTS[0]])) == 1


def test_a_second_stream_draws_again_and_is_repeatable(tiny):
    first, again = loaded(tiny, temperature=2), loaded(tiny, temperature=2)
    drawn = ["".join(first.stream(PROMPTS[0])) for _ in range(4)]
    assert len(set(drawn)) > 1
    assert drawn == ["".join(again.stream(PROMPTS[0])) for _ in range(4)]


def test_a_stream_never_shows_half_a_character(tiny, monkeypatch):
    import torch

    sampling, text = loaded(tiny), "x = '日本é'"
    ids = sampling.loaded.tokenizer.encode(text, add_special_tokens=False)
    assert any("\ufffd" in sampling.loaded.tokenizer.decode([one]) for one in ids), "a token is part of a character"
    drawn = [(None, torch.tensor([one]), None) for one in ids]
    monkeypatch.setattr("engine.generators.sample.sample", lambda *_: iter(drawn))  # the model wants to write just this
    pieces = list(sampling.stream("é"))
    assert "".join(pieces) == text
    assert "\ufffd" not in "".join(pieces)
    assert 1 < len(pieces) < len(ids)


def test_a_prompt_without_room_for_an_answer_is_refused(tiny):
    with pytest.raises(PromptTooLong, match=r"tokens long, and the model takes 248"):
        list(loaded(tiny).stream("x = 1\n" * 300))


def test_scores_are_the_models_own_log_probabilities(tiny):
    import torch

    sampling = loaded(tiny, temperature=3)
    ((_, found),) = sampling.generate(PROMPTS[:1], 1)
    ids = sampling.loaded.tokenizer(PROMPTS[0] + found[0].text, return_tensors="pt", add_special_tokens=False).input_ids
    start = sampling.count(PROMPTS[:1])[0]
    # or it was tokenised in another way than it was written: then this test needs another seed
    assert ids.shape[1] == start + found[0].n_tokens == start + 8
    with torch.inference_mode():
        likely = sampling.loaded.model(ids).logits[0].log_softmax(-1)
    tokens = ids[0, start:]
    assert found[0].score == pytest.approx(float(likely[start - 1 : -1].gather(1, tokens[:, None]).mean()), abs=1e-4)


def test_a_completion_that_has_ended_leaves_and_the_others_stay_as_they_were(tiny, monkeypatch):
    """Every token ends a completion with a chance: those of the other completions and prompts are the same alone."""
    import torch

    sampling = loaded(tiny, temperature=3)
    ends = torch.arange(0, len(sampling.loaded.tokenizer), 4)
    monkeypatch.setattr("engine.generators.batches.stop_ids", lambda _: ends)
    sizes, advance = [], sample_module().advance
    monkeypatch.setattr(sample_module(), "advance", lambda *args: (sizes.append(len(args[2])), advance(*args))[1])
    together = dict(sampling.generate(PROMPTS, 8))
    assert sizes[0] == 24
    assert sizes[-1] <= 12
    for index, prompt in enumerate(PROMPTS):
        ((_, alone),) = sampling.generate([prompt], 8)
        assert [one.text for one in alone] == [one.text for one in together[index]]
        assert [one.score for one in alone] == pytest.approx([one.score for one in together[index]], abs=1e-4)
    assert {one.is_finished for found in together.values() for one in found} == {True, False}


def test_tokens_are_drawn_as_often_as_their_chances_say():
    import torch

    chances = torch.tensor([[0.0, 0.5, 0.2, 0.3, 0.0]]).repeat(10_000, 1)
    numbers = torch.arange(10_000) / 10_000
    drawn = sample_module()._draw(chances, numbers)
    assert torch.bincount(drawn, minlength=5).tolist() == pytest.approx([0, 5000, 2000, 3000, 0], abs=2)
    edges = sample_module()._draw(chances[:2], torch.tensor([0.0, 1.0 - 2**-24]))
    assert edges.tolist() == [1, 3], "a token without a chance is never drawn"


def sample_module():
    import engine.generators.sample

    return engine.generators.sample
