"""Base class of generators with a model in this process: loads it, knows its vocabulary and longest prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from engine import params
from engine.domain import Model
from engine.params import setting

if TYPE_CHECKING:
    from engine.generators import Generator
    from engine.models.loading import Loaded
    from engine.models.swapping import Memory


class LocalParams(params.Params):
    """Settings of every generator with a model in this process."""

    max_new_tokens: int = setting(64, "the longest completion", unit="tokens", ge=1, le=8192)
    base_bits: Literal[16, 8, 4] = setting(
        16,
        "weights in memory: 16 as they are used in training, 8 LLM.int8, 4 nf4; fewer need less memory, and are "
        "less exact",
        unit="bits",
        more=True,
    )
    batch_tokens: int | None = setting(
        None,
        "prompts x completions x tokens computed at a time; empty: as many as fit the memory",
        unit="tokens",
        more=True,
        ge=1,
    )


class LocalModel:
    """A model in memory; another one with the same base takes its place without the base being loaded again."""

    params: LocalParams
    is_remote: ClassVar[bool] = False
    loads: ClassVar[tuple[str, ...]] = ("base_bits",)

    _memory: Memory | None = None
    _loaded: Loaded | None = None
    _seed = 0

    def load(self, model: Model, seed: int) -> None:
        from engine.models.swapping import Memory

        self._memory = self._memory or Memory(self.params.base_bits)
        self._loaded = None  # no longer valid, and its memory may be needed
        self.use(self._memory.load(model), seed)

    def use(self, loaded: Loaded, seed: int) -> None:
        """Generate with a model that is in memory already."""
        self._loaded = loaded
        self._seed = seed

    def take_over(self, other: Generator) -> bool:
        """Use the model of another generator in this process, if its weights are in as many bits."""
        if not isinstance(other, LocalModel) or other.params.base_bits != self.params.base_bits:
            return False
        self._memory, self._loaded, self._seed = other._memory, other._loaded, other._seed
        return self._loaded is not None

    @property
    def loaded(self) -> Loaded:
        assert self._loaded is not None, "load() comes first"
        return self._loaded

    def vocabulary(self) -> frozenset[str]:
        return frozenset(self.loaded.tokenizer.get_vocab())

    def count(self, prompts: Sequence[str]) -> list[int]:
        from engine.generators.batches import encode

        return [len(ids) for ids in encode(self.loaded.tokenizer, prompts)]

    def gpus(self) -> int:
        return len({weights.device for weights in self.loaded.model.parameters() if weights.device.type == "cuda"})

    def room(self) -> int:
        return self.loaded.context - self.params.max_new_tokens
