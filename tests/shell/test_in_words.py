"""Figures of a run as `runs show` prints them."""

from __future__ import annotations

import pytest

from engine.shell.in_words import figure


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
