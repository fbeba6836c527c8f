"""The preferences of a dataset as trainers on pairs, or on single answers, need them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import UserError

COLUMNS = ("input_ids", "n_prompt", "rejected_ids")
SINGLE_COLUMNS = ("input_ids", "n_prompt", "is_wrong")


@dataclass(frozen=True)
class Pair:
    """Token ids of a prompt, a better and a worse answer, each answer with the token that ends it."""

    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]

    @property
    def tokens(self) -> int:
        """Of the longer of the two texts."""
        return len(self.prompt_ids) + max(len(self.chosen_ids), len(self.rejected_ids))


@dataclass(frozen=True)
class Single:
    """Token ids of a prompt and an answer to it, and whether that is one to write."""

    prompt_ids: list[int]
    completion_ids: list[int]
    label: bool

    @property
    def tokens(self) -> int:
        return len(self.prompt_ids) + len(self.completion_ids)


def read_pairs(path: Path, context: int, vocabulary: int) -> tuple[list[Pair], dict[str, int]]:
    """The pairs of a dataset's file, and how many were left out for which reason.

    Raises UserError if it is no file of preferences, or has token ids that the model does not have.
    """
    pairs, left_out = [], Counter[str]()
    for values in _rows(path):
        ids, n_prompt = values["input_ids"], values["n_prompt"]
        pair = Pair(ids[:n_prompt], ids[n_prompt:], values["rejected_ids"])
        if pair.tokens > context:
            left_out["longer than the model's context"] += 1
        elif not pair.chosen_ids or not pair.rejected_ids:
            left_out["only one answer"] += 1
        else:
            _check_vocabulary(max(*ids, *pair.rejected_ids), vocabulary)
            pairs.append(pair)
    return pairs, dict(left_out)


def read_singles(path: Path, context: int, vocabulary: int) -> tuple[list[Single], dict[str, int]]:
    """The single answers of a dataset's file, and how many were left out for which reason. Raises as `read_pairs`."""
    found, left_out = [], Counter[str]()
    for values in _rows(path, SINGLE_COLUMNS):
        ids, n_prompt = values["input_ids"], values["n_prompt"]
        if len(ids) > context:
            left_out["longer than the model's context"] += 1
        else:
            _check_vocabulary(max(ids), vocabulary)
            found.append(Single(ids[:n_prompt], ids[n_prompt:], not values["is_wrong"]))
    return found, dict(left_out)


def singles(pairs: Sequence[Pair]) -> list[Single]:
    """Each pair as two answers, one to write and one not to; an answer that is in several pairs is there once."""
    found = {
        (tuple(pair.prompt_ids), tuple(answer), label): Single(pair.prompt_ids, answer, label)
        for pair in pairs
        for answer, label in ((pair.chosen_ids, True), (pair.rejected_ids, False))
    }
    return list(found.values())


def table_of(rows: Sequence[Pair] | Sequence[Single], mismatched: int = 0) -> pa.Table:
    """The rows as columns of the names that TRL's collators read.

    `mismatched`: rows of a batch in which each prompt also gets the answer of the row before, in `KL_completion_ids`,
    by which KTO estimates how far the model has gone from its reference (TRL's own way); 0: without.
    """
    ids = pa.list_(pa.int32())
    names = list(vars(rows[0])) if rows else []
    columns: dict[str, Any] = {
        name: pa.array([getattr(row, name) for row in rows], pa.bool_() if name == "label" else ids) for name in names
    }
    if mismatched:
        columns["KL_completion_ids"] = pa.array(list(_of_others([row.completion_ids for row in rows], mismatched)), ids)  # type: ignore[union-attr]
    return pa.table(columns)


def lengths_of(rows: Sequence[Pair] | Sequence[Single]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """(rows,): tokens of each."""
    return np.array([row.tokens for row in rows], np.int64)


def _of_others(answers: Sequence[list[int]], batch: int) -> Iterator[list[int]]:
    """Within each batch, the answer of the row before, and for its first row that of the last."""
    for start in range(0, len(answers), batch):
        of_batch = answers[start : start + batch]
        yield from [of_batch[-1], *of_batch[:-1]]


def _rows(path: Path, columns: Sequence[str] = COLUMNS) -> Iterator[dict[str, Any]]:
    try:
        with pq.ParquetFile(path) as file:
            lacking = [name for name in columns if name not in file.schema_arrow.names]
            if lacking:
                raise UserError(
                    f"{path} has no preferences of Repair Studio: it lacks {', '.join(lacking)}; build a dataset with "
                    "verdict_pairs, preferences or verdict_answers",
                    field="dataset",
                )
            for batch in file.iter_batches(1000, columns=list(columns)):
                yield from batch.to_pylist()
    except FileNotFoundError:
        raise UserError(f"the dataset has no {path.name}; build it again", field="dataset") from None
    except pa.ArrowException as error:
        raise UserError(f"{path} has no preferences of Repair Studio: {error}", field="dataset") from None


def _check_vocabulary(largest: int, vocabulary: int) -> None:
    if largest >= vocabulary:
        raise UserError(
            f"the dataset contains token {largest}, but the model has {vocabulary} tokens: it was built for another "
            "model",
            field="dataset",
        )
