"""What `speed` auto chooses: as much at a time and as little computed twice as the memory allows, and it says so."""

from __future__ import annotations

import numpy as np
import pytest

from engine.models.published import FUNCTION_ROWS, SHAPES, STARTER_ROWS, config_of
from engine.trainers.fastest import GIB, SHARE, Place, choose, needed_bytes
from engine.trainers.sft import Sft

CODELLAMA = SHAPES["CodeLlama-7B"]
LONG = np.array(FUNCTION_ROWS.draw(2000, 0))
SHORT = np.array(STARTER_ROWS.draw(500, 0))


def chosen(place, config=CODELLAMA, lengths=LONG, rows=37_000, **settings):
    return choose(Sft.Params(speed="auto", batch_size=16, **settings).filled(), config, lengths, rows, place)


def gpu(gib, **more):
    return Place("cuda", int(gib * GIB), **more)


def test_a_large_card_packs_and_compiles_without_checkpointing():
    choice = chosen(gpu(139))
    params = choice.params
    assert (params.packing, params.compile_layers, params.activation_checkpointing) == (True, True, False)
    assert params.batch_tokens >= 8 * 1024
    assert params.speed == "as_set"
    assert "no activation checkpointing" in choice.words


def test_less_memory_means_more_checkpointing_and_fewer_tokens():
    sizes = (139, 40, 24, 20, 16)
    found = [chosen(gpu(gib)).params for gib in sizes]
    cost = [(1 / each.checkpoint_every if each.activation_checkpointing else 0, -each.batch_tokens) for each in found]
    assert cost == sorted(cost)
    assert cost[0] != cost[-1]
    for gib, params in zip(sizes, found, strict=True):
        if params is not found[-1]:
            assert needed_bytes(params, CODELLAMA, 1024, "cuda") <= SHARE * gib * GIB


def test_every_nth_layer_is_chosen_where_all_of_them_are_not_needed():
    found = {chosen(gpu(gib)).params.checkpoint_every for gib in range(20, 80, 2)}
    assert found & {2, 4, 8}


def test_what_does_not_fit_is_said_and_needs_the_least():
    choice = chosen(gpu(4))
    assert choice.params.activation_checkpointing
    assert choice.params.checkpoint_every == 1
    assert choice.params.batch_tokens == LONG.max()
    assert choice.words[-1].endswith("it may not fit")


def test_the_samples_of_a_step_stay_what_was_asked_for():
    for place in (gpu(139), gpu(16), Place("cpu", 16 * GIB)):
        params = chosen(place, accumulation=3).params
        assert (params.batch_size, params.accumulation) == (16, 3)


def test_a_processor_packs_the_starters_rows_and_compiles_nothing():
    choice = chosen(Place("cpu", 16 * GIB), config_of("starter"), SHORT)
    assert (choice.params.packing, choice.params.compile_layers) == (True, False)
    assert choice.params.batch_tokens > 1024
    assert "nothing is compiled: on a CPU it does not pay" in choice.words


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place("cpu", 16 * GIB, no_varlen="this model has an attention of its own"), "an attention of its own"),
        (gpu(139, can_pack=False), "cannot be told where a packed sample begins"),
    ],
)
def test_what_cannot_be_packed_is_grouped_by_length(place, words):
    choice = chosen(place)
    assert (choice.params.packing, choice.params.group_by_length) == (False, True)
    assert choice.params.batch_tokens is not None
    assert any(words in each for each in choice.words)


@pytest.mark.parametrize(
    ("place", "settings", "rows", "words"),
    [
        (gpu(139, no_compiler="there is no Triton for this GPU"), {}, 37_000, "no Triton"),
        (gpu(139), {"method": "qlora"}, 37_000, "quantised"),
        (gpu(139), {}, 100, "too short"),
    ],
)
def test_why_nothing_is_compiled_is_said(place, settings, rows, words):
    choice = chosen(place, rows=rows, **settings)
    assert not choice.params.compile_layers
    assert any(each.startswith("nothing is compiled") and words in each for each in choice.words)


def test_what_was_chosen_can_be_stated_instead():
    choice = chosen(gpu(139))
    stated = Sft.Params(batch_size=16, **choice.settings).filled()
    assert stated == choice.params
