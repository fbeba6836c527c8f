"""The rows of a dataset as the trainer needs them, in the order in which they are trained on.

The order of all epochs is computed before the first step and depends only on seed and position, so that a resumed run
continues with exactly the rows that it has not seen.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import UserError

IGNORED = -100  # the label of a token without loss
ROWS_AT_ONCE = 4096  # an array of lists holds less than 2**31 tokens, and the longest row that can be built 2**17
SCHEMA = pa.schema([(name, pa.list_(pa.int32())) for name in ("input_ids", "labels")])
GROUP = 50  # batches whose rows are sorted by length together: little padding, and batches still vary


@dataclass(frozen=True)
class Rows:
    """Token ids and labels, one list a sample."""

    table: pa.Table  # of SCHEMA
    lengths: np.ndarray[Any, np.dtype[np.int64]]  # tokens of each row
    left_out: dict[str, int]  # reason -> rows

    def __len__(self) -> int:
        return len(self.lengths)


def read_rows(path: Path, context: int, vocabulary: int) -> Rows:
    """Rows of a dataset's file; only learned tokens are in the loss.

    Rows longer than `context` tokens or without a target are left out and counted. Raises UserError if it is not such a
    file, or has token ids that the model does not have.
    """
    chunks, lengths, left_out = [], [np.zeros(0, np.int64)], Counter[str]()
    for batch in _batches(path):
        long, blank = (
            batch["n_tokens"].to_numpy() > context,
            batch["n_prompt"].to_numpy() >= batch["n_tokens"].to_numpy(),
        )
        left_out += {"longer than the model's context": int(long.sum()), "no target": int((blank & ~long).sum())}
        batch = batch.filter(pa.array(~(long | blank)))
        chunks.append(_labelled(batch, vocabulary))
        lengths.append(batch["n_tokens"].to_numpy().astype(np.int64))
    return Rows(pa.Table.from_batches(chunks, SCHEMA), np.concatenate(lengths), dict(left_out))


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(path) as file:
            learned_too = ["learned"] if "learned" in file.schema_arrow.names else []
            yield from file.iter_batches(ROWS_AT_ONCE, columns=["input_ids", "n_prompt", "n_tokens", *learned_too])
    except FileNotFoundError:
        raise UserError(f"the dataset has no {path.name}; build it again", field="dataset") from None
    except (pa.ArrowException, KeyError) as error:
        raise UserError(f"{path} is not a training set of Repair Studio: {error}", field="dataset") from None


def _labelled(batch: pa.RecordBatch, vocabulary: int) -> pa.RecordBatch:
    """The token ids and labels of some rows."""
    flat, lengths = _flat(batch["input_ids"])
    if len(flat) and int(flat.max()) >= vocabulary:
        raise UserError(
            f"the dataset contains token {int(flat.max())}, but the model has {vocabulary} tokens: "
            "it was built for another model",
            field="dataset",
        )
    starts = np.concatenate([[0], np.cumsum(lengths)])
    if "learned" in batch.schema.names:
        ranges, n_ranges = _flat(batch["learned"])
        ranges = ranges + np.repeat(starts[:-1], n_ranges)  # of all tokens, and not of its own row's
    else:  # datasets of the first version: everything after the prompt
        ranges = np.stack([starts[:-1] + batch["n_prompt"].to_numpy(), starts[1:]], axis=1).flatten()
    labels = np.where(_inside(ranges, len(flat)), flat, IGNORED).astype(np.int32)
    offsets = pa.array(starts, pa.int32())
    lists = [pa.ListArray.from_arrays(offsets, pa.array(values)) for values in (flat, labels)]
    return pa.RecordBatch.from_arrays(lists, schema=SCHEMA)


def _flat(lists: pa.ListArray) -> tuple[Any, Any]:
    """All numbers of a column of lists one after the other, and the length of each list."""
    numbers = lists.flatten().to_numpy(zero_copy_only=False).astype(np.int32)
    return numbers, lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)


def _inside(ranges: Any, length: int) -> Any:
    """(length,): whether each place is in one of the ranges, given as start, end, start, end ..., ends excluded."""
    steps = np.zeros(length + 1, dtype=np.int64)
    np.add.at(steps, ranges[::2], 1)
    np.add.at(steps, ranges[1::2], -1)
    return np.cumsum(steps)[:length] > 0


def check_same_tokenizer(dataset: Path, tokenizer: Any) -> None:
    """Raises UserError if the dataset was built with another tokenizer than the model's."""
    path = dataset / "tokenizer" / "tokenizer.json"
    if not path.exists():
        return
    written = json.loads(path.read_text(encoding="utf-8"))
    vocabulary = written["model"]["vocab"]
    if isinstance(vocabulary, list):  # unigram models list [token, score] in the order of their ids
        vocabulary = {token: index for index, (token, _) in enumerate(vocabulary)}
    vocabulary |= {added["content"]: added["id"] for added in written.get("added_tokens", [])}
    known = tokenizer.get_vocab()
    if vocabulary != known:
        other = next((token for token, index in vocabulary.items() if known.get(token) != index), "one token fewer")
        raise UserError(
            f"the dataset was built with another tokenizer than this model's (they differ at {other!r}); "
            "build it again with this model",
            field="dataset",
        )


def order(lengths: np.ndarray[Any, Any], wanted: int, seed: int, batch: int, by_length: bool) -> list[int]:
    """Indices of the rows for `wanted` positions: a new permutation for every epoch, one epoch after the other.

    `by_length`: batches of rows of similar length, in random order; `wanted` is then a whole number of batches.
    """
    epochs = range(math.ceil(wanted / len(lengths)))
    places = np.concatenate([np.random.default_rng([seed, epoch]).permutation(len(lengths)) for epoch in epochs])
    places = places[:wanted]
    if by_length:
        chunks = [places[start : start + GROUP * batch] for start in range(0, wanted, GROUP * batch)]
        places = np.concatenate([_grouped(chunk, lengths, batch, [seed, n, 1]) for n, chunk in enumerate(chunks)])
    return [int(place) for place in places]


def _grouped(chunk: np.ndarray[Any, Any], lengths: np.ndarray[Any, Any], batch: int, seed: list[int]) -> Any:
    batches = chunk[np.argsort(lengths[chunk], kind="stable")].reshape(-1, batch)
    return np.random.default_rng(seed).permutation(batches).flatten()
