"""The tiny models of `tests/generators/tiny_models.py`, and a small training set in the starter's tokens."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from engine.assets import STARTER_MODEL

sys.path.append(str(Path(__file__).resolve().parents[1] / "generators"))

from tiny_models import tiny, tiny_adapter  # noqa: F401


def write_dataset(folder, rows=24, long_row=0):
    """Rows of 8 to 39 tokens, the last 3 to 6 of them with loss."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    for name, count in (("train", rows), ("valid", rows // 4)):
        lengths = [8 + (7 * n) % 32 for n in range(count)]
        if long_row and name == "train":
            lengths[0] = long_row
        ids = [[100 + (13 * n + place) % 500 for place in range(length - 1)] + [0] for n, length in enumerate(lengths)]
        table = pa.table(
            {
                "bug_id": [f"b{n}" for n in range(count)],
                "input_ids": pa.array(ids, pa.list_(pa.int32())),
                "n_prompt": [length - 3 - n % 4 for n, length in enumerate(lengths)],
                "n_tokens": lengths,
            }
        )
        pq.write_table(table, folder / f"{name}.parquet")
    (folder / "tokenizer").mkdir()
    shutil.copy(STARTER_MODEL / "tokenizer.json", folder / "tokenizer")
    return folder


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "set")
