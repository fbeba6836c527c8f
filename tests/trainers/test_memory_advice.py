from __future__ import annotations

from engine.assets import STARTER_MODEL
from engine.models.shape import read_config
from engine.trainers.memory_advice import advice, advised
from engine.trainers.memory_estimate import estimate
from engine.trainers.sft import Sft

CONFIG = read_config(STARTER_MODEL)


def needs(params, tokens):
    return estimate(CONFIG, params, tokens, "cuda").total


def found_for(have_share, tokens=1024, **settings):
    params = Sft.Params(**settings).filled()
    have = int(needs(params, tokens) * have_share)
    return have, advice(params, tokens, have, needs, most=100)


def test_every_named_change_fits_and_the_first_is_the_largest_batch_that_does():
    have, found = found_for(0.7, batch_size=16)
    assert found
    assert all(each.total <= have for each in found)
    assert found[0].changes == {"batch_size": 8, "accumulation": 2}
    larger = Sft.Params(batch_size=16, optimizer="adamw_8bit").filled()
    assert needs(larger, 1024) > have
    assert not any("adamw_8bit" in each.words for each in found), "it would not fit with that alone"
    assert any("activation_checkpointing" in each.words for each in found)


def test_the_effective_batch_stays():
    _, found = found_for(0.5, batch_size=12, accumulation=2)
    for each in found:
        if "batch_size" in each.changes:
            assert each.changes["batch_size"] * each.changes["accumulation"] == 24


def test_shorter_rows_are_named_with_the_longest_length_that_fits():
    have, found = found_for(0.8, batch_size=1)
    rows = next(each for each in found if "tokens" in each.words)
    assert "rows of at most 640 tokens" in rows.words or "rows of at most" in rows.words
    length = int(rows.words.split()[4].replace(",", ""))
    params = Sft.Params(batch_size=1).filled()
    assert needs(params, length) <= have < needs(params, length + 64)


def test_where_no_single_change_is_enough_all_together_are_named_or_nothing():
    params = Sft.Params(batch_size=64).filled()
    least = Sft.Params(batch_size=1, activation_checkpointing=True, optimizer="adamw_8bit", method="qlora").filled()
    have = int(needs(least, 8192) * 1.02)
    (only,) = advice(params, 8192, have, lambda p, t: needs(p, t) if t == 8192 else 10**15)
    assert only.changes["activation_checkpointing"] is True
    assert only.changes["batch_size"] == 1
    assert advice(params, 8192, 1000, needs) == ()
    assert advised(()).startswith("no change of batch")
    assert advised((only,)).startswith("it would fit with batch_size 1")


def test_settings_that_are_not_allowed_are_not_named():
    """base_bits 8 with qlora is refused by the settings, so it is set back beside the method."""
    _, found = found_for(0.9, batch_size=1, base_bits=8)
    assert all(Sft.Params.model_validate({**Sft.Params(batch_size=1).model_dump(), **each.changes}) for each in found)
