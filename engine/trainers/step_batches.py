"""The tensors of each optimizer step: its rows as padded or packed batches, and how many tokens have a loss.

Imports torch: for worker processes only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from engine.trainers.rows import IGNORED
from engine.trainers.step_plan import Division, Lengths, shares


@dataclass(frozen=True)
class Steps:
    """Which rows each step has, how it is divided, and how its batches are made."""

    rows: Any  # a dataset with `input_ids` and `labels`, a list each
    places: Sequence[int]  # of the rows of all steps, one after the other
    per_step: int
    lengths: Lengths  # tokens of each row
    division: Division
    pad: int  # a token's id
    processes: int = 1  # that train together; each computes its share of every step
    has_fixed_shapes: bool = False  # for compiled layers on a GPU

    def __len__(self) -> int:
        return len(self.places) // self.per_step

    def loader(self, *, pinned: bool = False) -> Any:
        """A loader with an item a step and process: {"batches": [tensors of a batch, ...], "targets": tokens}."""
        return DataLoader(_Shares(self), batch_size=1, collate_fn=lambda items: items[0], pin_memory=pinned)

    def share(self, index: int) -> dict[str, Any]:
        """What the process `index % processes` computes of step `index // processes`."""
        step, process = divmod(index, self.processes)
        places = self.places[step * self.per_step : (step + 1) * self.per_step]
        rows = {place: self.rows[int(place)] for place in places}
        # the first token of a row is nobody's next one
        targets = sum(label != IGNORED for place in places for label in rows[place]["labels"][1:])
        own = shares(places, self.processes)[process]
        divided = self.division.batches(own, self.lengths)
        make = self._packed if self.division.packing else self._padded
        return {"batches": [make([rows[place] for place in batch]) for batch in divided], "targets": targets}

    def _padded(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """(B, T) tensors, padded on the right."""
        width = max(len(row["input_ids"]) for row in rows)
        ids = torch.full((len(rows), width), self.pad)
        labels, seen = torch.full_like(ids, IGNORED), torch.zeros_like(ids)
        for number, row in enumerate(rows):
            end = len(row["input_ids"])
            ids[number, :end], labels[number, :end] = torch.tensor(row["input_ids"]), torch.tensor(row["labels"])
            seen[number, :end] = 1
        return {"input_ids": ids, "attention_mask": seen, "labels": labels}

    def _packed(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """(1, T) tensors of samples one after the other, each with positions from 0 on; filled up at the end.

        `sample_lengths` are their lengths, that of the filling included; `cu_seq_lens_q`, `cu_seq_lens_k`,
        `max_length_q` and `max_length_k` say the same in the way of the kernels of attention on a GPU.
        """
        sizes = [len(row["input_ids"]) for row in rows]
        total = sum(sizes)
        if filling := self.division.width(total) - total:
            sizes.append(filling)
        ids = torch.tensor([[token for row in rows for token in row["input_ids"]] + [self.pad] * filling])
        labels = [label for row in rows for label in (IGNORED, *row["labels"][1:])] + [IGNORED] * filling
        ends = torch.tensor([0, *sizes]).cumsum(0)
        longest = max(sizes)
        if self.has_fixed_shapes:  # empty samples at the end, so that nothing is compiled again for another number
            ends = torch.cat([ends, ends[-1:].expand(self.per_step + 2 - len(ends))])
            longest = int(self.division.batch_tokens or longest)
        ends = ends.to(torch.int32)
        return {
            "input_ids": ids,
            "position_ids": torch.cat([torch.arange(size) for size in sizes])[None],
            "labels": torch.tensor([labels]),
            "sample_lengths": None if self.has_fixed_shapes else tuple(sizes),
            "cu_seq_lens_q": ends, "cu_seq_lens_k": ends, "max_length_q": longest, "max_length_k": longest,
        }  # fmt: skip


class _Shares(TorchDataset[dict[str, Any]]):
    """Each process's share of each step, as `Steps.share` counts them."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    def __len__(self) -> int:
        return len(self.steps) * self.steps.processes

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.steps.share(index)
