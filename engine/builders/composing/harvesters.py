"""Harvesters: how chunks become one text."""

from __future__ import annotations

from typing import Any

from engine import params
from engine.builders.composing import Chunk, Harvester
from engine.params import setting

_BLANK = "blank lines between two chunks, beside the end of the first one's last line"


class Joining(Harvester):
    """Chunks one after the other (S3, JoiningHarvester)."""

    name = "joining"

    class Params(params.Params):
        """What stands between two chunks."""

        blank: int = setting(1, _BLANK, ge=0, le=10)

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.separator = "\n" * (params.blank + 1)

    def written(self, chunk: Chunk) -> str:
        return chunk.text


class PathComment(Joining):
    """Each chunk below a comment with its path, `# path` (S3, PathCommentHarvester)."""

    name = "path_comment"

    class Params(params.Params):
        """What stands before a path and between two chunks."""

        mark: str = setting("#", "before the path")
        blank: int = setting(1, _BLANK, ge=0, le=10)

    def written(self, chunk: Chunk) -> str:
        return f"{self.params.mark} {chunk.path}\n{chunk.text}"
