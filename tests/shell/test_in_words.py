"""Figures of a run as `runs show` prints them."""

from __future__ import annotations

import pytest

from engine.scoring import Costs
from engine.shell.in_words import figure, spent


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("peak_memory_bytes", 2246475776, "2.1 GiB"),
        ("memory_bytes", 3.5e8, "334 MiB"),
        ("trainable_parameters", 794624, "794624"),
        ("stopped_early", False, "False"),
        ("loss", 0.67349, "0.6735"),
        ("checkpoint", 1.0, ""),
        ("costs_of_each", None, ""),
        ("tree_at", {}, ""),
        ("outcomes", {"compile_error": 14, "test_failed": 3400}, "compile_error 14, test_failed 3,400"),
        ("plausible_at", {1: {"hits": 1, "total": 6}}, "@1 1 of 6 (3% to 56%)"),
    ],
)
def test_a_figure_in_words(name, value, words):
    assert figure(name, value) == words


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        (None, ""),
        (Costs(gpu_hours=3.2, money=7.9, currency="EUR"), "3.2 GPU-h, 7.9 EUR"),
        (Costs(gpu_hours=0.0, money=0.02), "0 GPU-h, cost 0.02"),  # a number alone would not say what it is
        (Costs(gpu_hours=3.2), "3.2 GPU-h"),
    ],
)
def test_what_a_run_cost_so_far(costs, words):
    assert spent(costs) == words
