"""SWE-bench predictions: a unified diff for each instance, as its harness evaluates them.

`instance_id, model_name_or_path, model_patch` (https://github.com/SWE-bench/SWE-bench, its
`swebench/harness/run_evaluation.py`); an empty or missing patch is none. The harness takes one prediction for each
instance.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from engine.events import MODEL
from engine.exchange.exported import Exported, Form
from engine.exchange.imported import Reader

ID, WHO, PATCH = "instance_id", "model_name_or_path", "model_patch"


def write(run: Exported, file: BinaryIO) -> None:
    """The first candidate of each bug, JSON lines."""
    for row in run.rows():
        if row.source == MODEL and row.rank == 1:
            prediction = {ID: row.bug_id, WHO: row.model, PATCH: row.diff}
            file.write(json.dumps(prediction, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def read(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The one candidate of a prediction."""
    rest = {name: value for name, value in row.items() if name not in (ID, PATCH)}
    yield {**rest, "bug_id": row[ID], "patch": row[PATCH] or None}


FORM = Form("swe-bench", ".jsonl", "SWE-bench", "predictions for SWE-bench: the first patch of each bug", write)
READER = Reader("SWE-bench predictions", (ID, PATCH), read, who=WHO)
