"""Settings that every trainer shares: how much memory a run may take, and what happens where it needs more."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from engine import params
from engine.params import setting

MB = 1_000_000


class MemoryParams(params.Params):
    """A limit below the size of the card, what is kept outside it, and whether an estimate can refuse the run."""

    memory_cap_mb: int | None = setting(
        None,
        "most memory of each GPU that the run may use, also where it has more; empty: all of it",
        title="Memory cap",
        unit="MB",
        more=True,
        ge=500,
        le=10**7,
    )
    offload: bool = setting(
        False,
        "with a memory cap: layers of the frozen weights that do not fit are kept in main memory and copied to the GPU "
        "for each use, which is slower",
        more=True,
    )
    start_anyway: bool = setting(
        False, "start also where the estimate says that the memory will not be enough", more=True
    )

    @model_validator(mode="after")
    def _offload_has_a_cap(self) -> Self:
        if self.offload and self.memory_cap_mb is None:
            raise ValueError("offload needs memory_cap_mb; say how much of the GPU the run may use")
        return self

    @property
    def cap_bytes(self) -> int | None:
        """The cap; None where there is none."""
        return None if self.memory_cap_mb is None else self.memory_cap_mb * MB
