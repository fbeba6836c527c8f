"""The estimate of a training's memory against measured peaks: six settings of the starter model, none of them fitted.

The peak is the largest resident set of the worker, with uniform rows of the named length. The correction for each method
comes from `repair-studio measure` on batches of 4 and 8 rows of 256 tokens, which are none of the six. Takes ten minutes.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figures import Figure

ON_REQUEST = True
STEPS = 12
SIX = (  # settings, tokens of each row
    ({"batch_size": 10, "rank": 8}, 224),
    ({"batch_size": 5}, 320),
    ({"batch_size": 2, "optimizer": "sgd", "momentum": 0.9}, 480),
    ({"batch_size": 6, "activation_checkpointing": True}, 352),
    ({"batch_size": 3, "method": "qlora"}, 384),
    ({"batch_size": 7, "method": "full"}, 288),
)
MEASURED_WITH = (8, 256)  # rows and tokens


def measure() -> Iterator[Figure]:
    from engine.assets import STARTER_MODEL
    from engine.models.shape import read_config
    from engine.trainers.memory_calibration import Calibration, key_of
    from engine.trainers.memory_check import CPU
    from engine.trainers.sft import Sft

    config = read_config(STARTER_MODEL)
    plain, corrected = [], []
    measured: dict[str, Calibration] = {}
    with tempfile.TemporaryDirectory() as place:
        for number, (settings, tokens) in enumerate(SIX):
            params = Sft.Params(**{"rank": 16, **settings}).filled()
            key = key_of(config, params, CPU)
            if key not in measured:
                rows, length = MEASURED_WITH
                result = _worked(Path(place) / f"measure-{number}", "measure", {**settings, "batch_size": rows}, length)
                measured[key] = Calibration(result["offset"], result["factor"])
            found = Sft(params).estimate(config, tokens, "cpu")
            assert found is not None
            peak = _worked(Path(place) / str(number), "train", {"max_steps": STEPS, **settings}, tokens)
            errors = [abs(each.total / peak["peak_memory_bytes"] - 1) for each in (found, measured[key].applied(found))]
            print(settings, tokens, peak["peak_memory_bytes"], [f"{error:.1%}" for error in errors], file=sys.stderr)
            plain.append(100 * errors[0])
            corrected.append(100 * errors[1])
    yield Figure("estimated memory of six trainings, mean error", statistics.mean(plain), "%", 10)
    yield Figure(
        "estimated memory of six trainings, mean error after a measurement", statistics.mean(corrected), "%", 3
    )


def _worked(folder: Path, kind: str, trainer: dict[str, Any], tokens: int) -> dict[str, Any]:
    """The result of a worker on rows of so many tokens."""
    from engine.assets import STARTER_MODEL
    from engine.domain import Model
    from engine.rundir import Inputs, RunDir
    from engine.specs import parse

    rows = _rows(folder.with_suffix(".rows"), tokens)
    settings = {"name": "sft", "rank": 16, "evaluation": "no", **trainer}
    spec = parse({"kind": kind, "model": str(STARTER_MODEL), "dataset": "rows", "trainer": settings})
    inputs = Inputs(model=Model("starter", "base", str(STARTER_MODEL)), dataset=str(rows))
    run = RunDir.create(folder, spec.model_dump(mode="json"), inputs)
    subprocess.run([sys.executable, "-P", "-m", "engine.work", str(folder)], check=True, stdout=sys.stderr)
    last = list(run.all_events())[-1].payload
    return dict(last.result)  # type: ignore[union-attr]


def _rows(folder: Path, tokens: int, count: int = 128) -> Path:
    """A dataset of rows of this length, of which a quarter is learned."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from engine.assets import STARTER_MODEL

    folder.mkdir()
    ids = [[100 + (13 * n + place) % 7000 for place in range(tokens - 1)] + [0] for n in range(count)]
    columns = {"bug_id": [f"b{n}" for n in range(count)], "input_ids": pa.array(ids, pa.list_(pa.int32()))}
    table = pa.table(columns | {"n_prompt": [tokens * 3 // 4] * count, "n_tokens": [tokens] * count})
    for name in ("train", "valid"):
        pq.write_table(table, folder / f"{name}.parquet")
    (folder / "tokenizer").mkdir()
    shutil.copy(STARTER_MODEL / "tokenizer.json", folder / "tokenizer")
    return folder
