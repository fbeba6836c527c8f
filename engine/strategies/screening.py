"""Which answers are worth a run of the tests: those that change the code, in a way that was not tried, and parse."""

from __future__ import annotations

from collections.abc import Iterable

from engine.domain import Bug, Patch
from engine.languages.trees import tree_digest


class Screen:
    """Compares by syntax tree, where there is a grammar of the language: layout and comments repair nothing."""

    def __init__(self, bug: Bug, tried: Iterable[Patch]) -> None:
        self._language = bug.language
        self._buggy = self._code(bug.buggy)
        self._known = {self._buggy, *(self._code(each.text) for each in tried if each.text is not None)}

    def passes(self, patch: Patch) -> bool:
        """Whether the tests should be run. An answer without any patch passes, since the model can be told of it."""
        if patch.text is None:
            return True
        code = self._code(patch.text)
        return code not in self._known and (bool(code) or not self._buggy)  # a file that never parsed is not judged so

    def _code(self, text: str) -> str:
        tree = tree_digest(text, self._language)
        return text if tree is None else tree
