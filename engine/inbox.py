"""The questions in the folder of a chat worker, one JSON object per line, and what was said before them elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from engine.reading import open_regular
from engine.whole_files import append_whole, write_whole


class Inbox:
    """Questions go in, turns come out as events."""

    path: Path  # of the run's folder

    def ask(self, **question: Any) -> None:
        """Append one question to a chat worker's inbox. Raises OSError if it cannot be written."""
        append_whole(self.path / "inbox.jsonl", json.dumps(question).encode() + b"\n", is_new=True)

    def tell_history(self, conversation: int, question: int, turns: list[dict[str, Any]]) -> str:
        """Write the messages before a question that this worker does not know; returns the file's name.

        Raises OSError if it cannot be written.
        """
        name = f"history-{conversation}-{question}.json"
        write_whole(self.path / name, {"turns": turns})
        return name

    def history(self, name: str) -> list[dict[str, Any]]:
        """The messages in a file of `tell_history`. Raises OSError, and ValueError if it is none."""
        if not re.fullmatch(r"history-\d+-\d+\.json", name):
            raise ValueError(f"no name of a history: {name!r}")
        with open(open_regular(self.path / name), "rb") as file:
            return list(json.load(file)["turns"])

    def questions(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """The questions from byte `offset`, and the offset where the next reading starts."""
        try:
            with open(open_regular(self.path / "inbox.jsonl"), "rb") as file:
                file.seek(offset)
                text = file.read()
        except FileNotFoundError:
            return [], offset
        whole = text[: text.rfind(b"\n") + 1]
        return [json.loads(line) for line in whole.splitlines() if line], offset + len(whole)
