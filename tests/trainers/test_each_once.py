"""Weights gathered from several processes, where one weight has two names."""

from __future__ import annotations

from types import SimpleNamespace

from engine.trainers.together import each_once

GATHERED = {"model.embed_tokens.weight": 1, "lm_head.weight": 1, "model.norm.weight": 2}


def test_a_head_that_is_the_embedding_is_saved_once():
    tied = SimpleNamespace(all_tied_weights_keys={"lm_head.weight": "model.embed_tokens.weight"})
    assert each_once(tied, GATHERED) == {"model.embed_tokens.weight": 1, "model.norm.weight": 2}
    assert each_once(SimpleNamespace(all_tied_weights_keys={}), GATHERED) == GATHERED, "this head is its own"
    only_the_head = {"lm_head.weight": 1}
    assert each_once(tied, only_the_head) == only_the_head, "nothing is lost"
