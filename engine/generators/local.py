"""Base class of generators with a model in this process: loads it, knows its vocabulary and longest prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from engine.domain import Model

if TYPE_CHECKING:
    from engine.models.loading import Loaded


class LocalModel:
    """A model loaded once; `params` has `max_new_tokens`, which a prompt must leave free."""

    params: Any
    is_remote: ClassVar[bool] = False

    _loaded: Loaded | None = None
    _seed = 0

    def load(self, model: Model, seed: int) -> None:
        from engine.models.loading import load

        self._loaded = load(model)
        self._seed = seed

    @property
    def loaded(self) -> Loaded:
        assert self._loaded is not None, "load() comes first"
        return self._loaded

    def vocabulary(self) -> frozenset[str]:
        return frozenset(self.loaded.tokenizer.get_vocab())

    def count(self, prompts: Sequence[str]) -> list[int]:
        from engine.generators.batches import encode

        return [len(ids) for ids in encode(self.loaded.tokenizer, prompts)]

    def room(self) -> int:
        return self.loaded.context - int(self.params.max_new_tokens)
