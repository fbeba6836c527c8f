"""A step is divided into batches by its rows' lengths alone: every row once, within the tokens, little wasted."""

from __future__ import annotations

import numpy as np
import pytest

from engine.trainers.step_plan import Division, shares

LENGTHS = np.random.default_rng(3).integers(8, 400, 300)
ROWS = list(range(64))


@pytest.mark.parametrize("packing", [False, True])
@pytest.mark.parametrize("batch_tokens", [None, 500, 1000, 4096, 10**6])
def test_every_row_of_a_step_is_in_one_batch(packing, batch_tokens):
    batches = Division(4, batch_tokens, packing).batches(ROWS, LENGTHS)
    assert sorted(row for batch in batches for row in batch) == ROWS
    assert [] not in batches


@pytest.mark.parametrize("packing", [False, True])
def test_no_batch_has_more_tokens_than_asked_for_with_its_padding(packing):
    division = Division(4, 1000, packing)
    for batch in division.batches(ROWS, LENGTHS):
        assert division.computed([batch], LENGTHS) <= 1000


@pytest.mark.parametrize("packing", [False, True])
def test_a_row_longer_than_that_is_a_batch_of_its_own(packing):
    lengths = np.array([900, 100, 100, 950, 100])
    batches = Division(4, 300, packing).batches(range(5), lengths)
    assert sorted(batch for batch in batches if len(batch) == 1 and lengths[batch[0]] > 300) == [[0], [3]]
    assert [3] in batches
    assert all(lengths[batch].sum() <= 300 for batch in batches if batch not in ([0], [3]))


def test_without_tokens_batches_have_the_rows_in_their_order():
    assert Division(3, None, True).batches([5, 1, 4, 2, 0], LENGTHS) == [[5, 1, 4], [2, 0]]


def test_sorted_rows_waste_little_and_packed_ones_nothing():
    tokens = int(LENGTHS[ROWS].sum())
    in_order, by_tokens, packed = (
        division.computed(division.batches(ROWS, LENGTHS), LENGTHS)
        for division in (Division(16, None, False), Division(16, 2048, False), Division(16, 2048, True))
    )
    assert packed == tokens
    assert by_tokens < 1.2 * tokens < 1.5 * tokens < in_order


def test_packed_batches_are_about_equally_full_and_few():
    batches = Division(4, 1024, True).batches(ROWS, LENGTHS)
    filled = [int(LENGTHS[batch].sum()) for batch in batches]
    assert max(filled) - min(filled) < 100
    assert len(batches) <= sum(filled) / 1024 + 2


def test_packed_batches_are_filled_up_to_a_multiple():
    division = Division(4, 1024, True, multiple=128)
    assert [division.width(tokens) for tokens in (1, 128, 129)] == [128, 128, 256]
    batches = division.batches(ROWS, LENGTHS)
    assert division.computed(batches, LENGTHS) == sum(division.width(int(LENGTHS[batch].sum())) for batch in batches)


def test_processes_share_the_rows_of_a_step():
    assert shares([7, 3, 5, 1, 9], 2) == [[7, 5, 9], [3, 1]]
    assert shares([7, 3], 1) == [[7, 3]]
