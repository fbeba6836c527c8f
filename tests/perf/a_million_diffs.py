"""A dataset of 1,000,000 diffs: rows a second and the memory of the build, which must not grow with its source."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from diffs_to_samples import BUILD, run, write
from figures import Figure

ON_REQUEST = True
ROWS = 1_000_000


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        made, took, peak = run(BUILD, write(Path(folder), ROWS))
    assert made == ROWS, f"{made} of {ROWS} diffs became rows"
    yield Figure(
        "rows of Megadiff to a dataset, tokenised, 1,000,000 of them", made / took, "rows/s", 1500, is_least=True
    )
    yield Figure("memory of a build of 1,000,000 diffs", peak, "MiB", 1024)
