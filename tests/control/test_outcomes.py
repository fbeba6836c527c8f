"""The outcome of every kind of run in words."""

from __future__ import annotations

import pytest

from engine.control.outcomes import WORDS, outcome_words, reached, stopping
from engine.specs import KINDS
from storage.tables import Run


@pytest.mark.parametrize(
    ("kind", "result", "words"),
    [
        ("dataset", {"rows": {"train": 1200, "valid": 34}}, "1,234 samples"),
        ("train", {"train_loss": 0.5965, "eval_loss": None, "peak_memory_bytes": 5 << 29}, "loss 0.60, peak 2.5 GiB"),
        (
            "train",
            {
                "train_loss": 0.5,
                "eval_loss": 0.75,
                "eval_token_accuracy": 0.714,
                "best_step": 40,
                "stopped_early": True,
                "trainable_parameters": 794_624,
                "all_parameters": 13_579_584,
            },
            "loss 0.50, evaluation 0.75, 71% of tokens right, best at step 40, stopped early, 5.85 % of parameters trained",
        ),
        ("merge", {"usable": True, "same_patches": 5, "bugs": 5}, "same patches on 5 of 5 bugs"),
        ("merge", {"usable": True, "same_patches": 3, "bugs": 5}, "with caution: same patches on 3 of 5 bugs"),
        ("merge", {"usable": False, "same_patches": 1, "bugs": 5}, "not usable: same patches on 1 of 5 bugs"),
        ("benchmark", {"plausible_at": {"1": 1, "10": 11, "5": 8}, "scored": 46}, "11 of 46 bugs plausible@10"),
        ("chat", {"turns": 3, "conversations": 1}, "3 turns in 1 conversations"),
    ],
)
def test_the_outcome_of_a_run(kind, result, words):
    assert outcome_words(Run(kind=kind, name="a", state="done", created_at=0.0, result=result)) == words


def test_every_kind_has_an_outcome_and_an_unfinished_run_none():
    assert WORDS.keys() == KINDS.keys()
    assert outcome_words(Run(kind="train", name="a", state="running", created_at=0.0)) == ""


@pytest.mark.parametrize("stop_now", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_stopping_run_says_what_it_still_does(kind, stop_now):
    words = stopping(Run(kind=kind, name="a", state="stopping", stop_now=stop_now, created_at=0.0))
    saves = kind == "train" and not stop_now
    assert ("checkpoint" in words, "10 minutes" in words) == (saves, saves)
    assert ("without saving" in words) == (kind == "train" and stop_now)
    assert words.startswith("finishing its step" if saves else "ending")
    assert stopping(Run(kind=kind, name="a", state="running", created_at=0.0)) == ""


@pytest.mark.parametrize(
    ("builder", "shards", "words"),
    [
        ("tested_faults", 1, "Resume continues from what is known so far"),
        ("tested_faults", 4, "Resume continues from what is known so far"),
        ("faults", 1, "Resume starts it from the beginning"),
        ("faults", 4, "Resume does the shards that are left, one that had begun from its beginning"),
        ("of a package that is gone", 1, "Resume starts it from the beginning"),
    ],
)
def test_a_build_that_keeps_what_it_has_says_so(builder, shards, words):
    spec = {"builder": {"name": builder}, "shards": shards}
    run = Run(kind="dataset", name="a", state="stopped", created_at=0.0, spec=spec)
    assert reached(run) == words
