"""The tensors of a planned step: nothing of a row is lost, and what is filled in has no loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.trainers.rows import IGNORED
from engine.trainers.step_batches import Steps
from engine.trainers.step_plan import Division

ROWS = [
    {"input_ids": [11, 12, 13], "labels": [IGNORED, 12, 13]},
    {"input_ids": [21, 22], "labels": [21, 22]},
    {"input_ids": [31, 32, 33, 34], "labels": [IGNORED, IGNORED, IGNORED, 34]},
    {"input_ids": [41], "labels": [41]},
]
LENGTHS = np.array([3, 2, 4, 1])


def steps(division, places=(0, 1, 2, 3), per_step=2, **more):
    return Steps(ROWS, list(places), per_step, LENGTHS, division, pad=6, **more)


def test_a_padded_batch_has_each_row_and_ignores_its_padding():
    share = steps(Division(2, None, False)).share(0)
    (batch,) = share["batches"]
    assert batch["input_ids"].tolist() == [[11, 12, 13], [21, 22, 6]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch["labels"].tolist() == [[IGNORED, 12, 13], [21, 22, IGNORED]]
    assert share["targets"] == 3  # the first token of a row is nobody's next one


def test_a_packed_batch_has_positions_of_each_sample_and_no_label_across_two():
    (batch,) = steps(Division(2, None, True)).share(0)["batches"]
    assert batch["input_ids"].tolist() == [[11, 12, 13, 21, 22]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert batch["labels"].tolist() == [[IGNORED, 12, 13, IGNORED, 22]]
    assert (batch["sample_lengths"], batch["cu_seq_lens_q"].tolist()) == ((3, 2), [0, 3, 5])
    assert (batch["max_length_q"], batch["cu_seq_lens_q"].dtype) == (3, torch.int32)


def test_what_fills_a_packed_batch_up_is_a_sample_without_loss():
    (batch,) = steps(Division(2, None, True, multiple=8)).share(0)["batches"]
    assert batch["input_ids"].tolist() == [[11, 12, 13, 21, 22, 6, 6, 6]]
    assert batch["labels"].tolist() == [[IGNORED, 12, 13, IGNORED, 22, IGNORED, IGNORED, IGNORED]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1, 0, 1, 2]]


def test_fixed_shapes_do_not_depend_on_how_many_samples_there_are():
    division = Division(2, 8, True, multiple=8)
    first, second = (
        steps(division, has_fixed_shapes=True, per_step=2).share(index)["batches"][0] for index in range(2)
    )
    assert {name: value.shape for name, value in first.items() if torch.is_tensor(value)} == {
        name: value.shape for name, value in second.items() if torch.is_tensor(value)
    }
    assert first["max_length_q"] == second["max_length_q"] == 8
    assert first["cu_seq_lens_q"].tolist()[-1] == 8
    assert first["sample_lengths"] is None


@pytest.mark.parametrize("packing", [False, True])
def test_processes_compute_all_of_a_step_and_divide_by_the_same_number(packing):
    planned = steps(Division(2, None, packing), per_step=4, processes=2)
    assert len(planned) == 1
    shares = list(planned.loader())
    assert len(shares) == 2
    tokens = [
        token for share in shares for batch in share["batches"] for token in batch["input_ids"].flatten().tolist()
    ]
    assert sorted(token for token in tokens if token != 6) == [11, 12, 13, 21, 22, 31, 32, 33, 34, 41]
    assert [share["targets"] for share in shares] == [4, 4]


def test_a_loader_gives_a_step_an_item():
    sizes = [
        sum(batch["input_ids"].numel() for batch in share["batches"])
        for share in steps(Division(1, None, True)).loader()
    ]
    assert sizes == [5, 5]
