"""Which bugs a model is known to repair: as measured where it was made, and as its newest benchmark run showed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from engine.control.models import Models
from engine.control.patches import Patches
from engine.errors import UserError
from engine.reading import open_regular

FILE = "repaired.json"  # beside a model's weights: benchmark -> bug -> the attempt of a chat that repaired it
LARGEST_BYTES = 1 << 20


def known_repairs(models: Models, patches: Patches, model: str, benchmark: str) -> Mapping[str, int]:
    """Bug -> attempt or rank, the surest first: those of a chat, then those of a benchmark run."""
    try:
        shipped = read(Path(models.resolve(model).path)).get(benchmark, {})
    except UserError:
        shipped = {}
    run = patches.repaired_by(model, benchmark)
    return {**shipped, **{bug: rank for bug, rank in run.items() if bug not in shipped}}


def read(folder: Path) -> dict[str, dict[str, int]]:
    """What stands beside a model, in its order; empty where that is not what we write: it may be anyone's."""
    try:
        with open(open_regular(folder / FILE), "rb") as file:
            if os.fstat(file.fileno()).st_size > LARGEST_BYTES:
                return {}
            found = json.load(file)
        return {str(name): {str(bug): int(attempt) for bug, attempt in bugs.items()} for name, bugs in found.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
