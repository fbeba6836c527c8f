"""A repair conversation as a file."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile

from engine.control.chats import Chats
from engine.control.turns import path_of, turn_for_page, turns_for_worker
from engine.errors import UserError
from engine.events import TurnEvent, checked
from engine.exchange.dialogue import Dialogue, as_json, as_markdown
from storage.database import Database

FORMATS = {"markdown": ".md", "json": ".json"}


class ChatExports:
    """Writes conversations as files."""

    def __init__(self, home: Path, database: Database, chats: Chats) -> None:
        self._folder = home / "exports"
        self._database = database
        self._chats = chats

    def text(self, conversation_id: int, form: str, to: int | None = None) -> str:
        """What the file has; `to`: the last message of the branch of `markdown`, the newest where None.

        Raises UserError for an unknown conversation or form.
        """
        if form not in FORMATS:
            raise UserError(f"format: should be one of {', '.join(FORMATS)} (got {form!r:.40})", field="format")
        row = self._chats.get(conversation_id)
        bug = self._chats.known_bug(row)
        with self._database.read() as session:
            turns = [checked(TurnEvent, turn) for turn in turns_for_worker(session, conversation_id)]
            shown = path_of(session, conversation_id, to)
        diffs = {turn.number: turn_for_page(turn, content, bug).diff for turn, content in shown}
        dialogue = Dialogue(
            row.title,
            row.bug_id,
            row.benchmark,
            row.model,
            row.settings,
            row.created_at,
            turns,
            [turn.number for turn, _ in shown],
        )
        return as_json(dialogue) if form == "json" else as_markdown(dialogue, diffs)

    def write(self, conversation_id: int, form: str) -> Path:
        """The file in the home folder. Raises as `text`."""
        text = self.text(conversation_id, form)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / file_name(conversation_id, form)
        # a temporary name: the same conversation may be written twice at once
        with NamedTemporaryFile("w", encoding="utf-8", dir=self._folder, suffix=".tmp", delete=False) as file:
            try:
                file.write(text)
                file.close()
                Path(file.name).replace(path)
            finally:
                Path(file.name).unlink(missing_ok=True)
        return path


def file_name(conversation_id: int, form: str) -> str:
    """What the file of a conversation is called."""
    return f"conversation-{conversation_id}{FORMATS[form]}"
