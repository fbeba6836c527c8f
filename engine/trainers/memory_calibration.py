"""An estimate corrected by what was measured on this device: an offset, and a factor on what grows with the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from engine.models.shape import Shape
from engine.params import Params
from engine.trainers import Estimate

# Settings that change which parts of the program run, so a measurement of one value says little of another. What only
# changes a number in the formulas (rank, batch, length, optimizer) is not among them.
KEYED = (
    "name", "method", "base_bits", "target_modules", "dora", "activation_checkpointing", "precision", "packing",
    "compile_layers", "offload",
)  # fmt: skip
# Factors beyond these are taken for accidents of a measurement, such as another program's memory.
LEAST, MOST = 0.4, 2.5
NEAR = 0.05  # two points whose growing parts differ by less than this tell no factor


@dataclass(frozen=True)
class Point:
    """One measurement beside its estimate; bytes."""

    fixed: int  # estimated: weights, optimizer, gradients, context
    growing: int  # estimated: activations and buffers
    measured: int

    @classmethod
    def of(cls, estimate: Estimate, measured: int) -> Point:
        growing = estimate.activations + estimate.buffers
        return cls(estimate.total - growing, growing, measured)


@dataclass(frozen=True)
class Calibration:
    """`measured = fixed + offset + factor x growing`."""

    offset: int
    factor: float
    run: int = 0  # the run that measured it

    @classmethod
    def of(cls, points: Sequence[Point], run: int = 0) -> Calibration:
        """Through the two points that are farthest apart; of one point, or of two alike, the factor alone."""
        low, high = min(points, key=lambda one: one.growing), max(points, key=lambda one: one.growing)
        beside = high.measured - high.fixed
        if high.growing - low.growing > NEAR * max(high.growing, 1):
            factor = (beside - (low.measured - low.fixed)) / (high.growing - low.growing)
            if LEAST <= factor <= MOST:
                return cls(round(beside - factor * high.growing), factor, run)
        factor = min(MOST, max(LEAST, beside / max(high.growing, 1)))
        return cls(round(beside - factor * high.growing), factor, run)

    def applied(self, found: Estimate) -> Estimate:
        """The estimate as the measurement corrects it; what is left of the offset is in the context's part."""
        return replace(
            found,
            activations=round(found.activations * self.factor),
            buffers=round(found.buffers * self.factor),
            context=max(0, found.context + self.offset),
            notes=(*found.notes, f"corrected by what run {self.run} measured on this device"),
        )


def read(stored: Mapping[str, Mapping[str, float]]) -> dict[str, Calibration]:
    """As they stand in a run's inputs: key -> offset, factor, run."""
    return {
        key: Calibration(int(one["offset"]), float(one["factor"]), int(one.get("run", 0)))
        for key, one in stored.items()
    }


def key_of(config: Mapping[str, Any], params: Params, device: str) -> str:
    """For which trainings a measurement holds: the model's sizes, `KEYED` settings, and the device by name."""
    settings = {name: getattr(params, name, None) for name in KEYED}
    text = repr((Shape.of(config), sorted(settings.items()), device))
    return blake2b(text.encode(), digest_size=12).hexdigest()
