from __future__ import annotations

from engine.generators.memory_estimate import generating
from engine.models.published import SHAPES

CODELLAMA, QWEN = SHAPES["CodeLlama-7B"], SHAPES["Qwen2.5-7B"]
GIB = 1 << 30


def test_one_bug_with_ten_beams_takes_what_was_measured():
    """15.6 GiB on an H200 (CodeLlama-7B shape, one bug at a time, beam 10, 512-token prompts, 64 new tokens)."""
    found = generating(CODELLAMA, "cuda", 10, 64)
    assert found.weights == 2 * 6_738_546_688
    assert 13.5 * GIB < found.total < 20 * GIB
    assert found.cache == 2 * 512 * 1024 * 10 * 576  # 512 KiB a token


def test_in_mixed_precision_weights_take_six_bytes_a_parameter():
    assert generating(CODELLAMA, "cuda", 1, 64).mixed_precision == 6 * 6_738_546_688


def test_fewer_bits_and_fewer_heads_take_less():
    whole, eight, four = (generating(CODELLAMA, "cuda", 10, 64, bits) for bits in (16, 8, 4))
    assert whole.weights > 1.8 * eight.weights > 3 * four.weights
    assert generating(QWEN, "cuda", 10, 64).cache < whole.cache / 8


def test_a_cpu_computes_in_four_bytes():
    assert generating(CODELLAMA, "cpu", 1, 64).weights == 4 * 6_738_546_688
