"""The runs that a builder names, and what all builders of judged answers check about them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from engine.builders.answers.run import FIELD, AnsweredRun
from engine.errors import UserError

WHICH = "benchmark runs and loaded models (for their conversations), by number, also as folders"


def named(folders: Sequence[str]) -> list[AnsweredRun]:
    """The runs in these folders. Raises UserError if none is named, one is named twice, or one cannot be read."""
    if not folders:
        raise UserError("runs: no run is named; choose one or more", field=FIELD)
    runs = [AnsweredRun(folder) for folder in dict.fromkeys(str(Path(folder)) for folder in folders)]
    for run in runs:
        run.check()
    return runs


def check_tokenizer(runs: Sequence[AnsweredRun], folder: Path) -> None:
    """Raises UserError if a run's model had another tokenizer than the one in `folder`.

    Prompts and answers spell the special tokens of the model that read and wrote them.
    """
    wanted = _print(folder / "tokenizer.json")
    for run in runs:
        file = run.tokenizer_file()
        if file is not None and _print(file) != wanted:
            raise UserError(
                f"model: run {run.number} was made with another model's tokenizer, whose special tokens stand in its "
                "prompts; choose the model of that run",
                field="model",
            )


def _print(file: Path) -> bytes:
    """A hash of a tokenizer's file; empty without one."""
    return sha256(file.read_bytes()).digest() if file.is_file() else b""
