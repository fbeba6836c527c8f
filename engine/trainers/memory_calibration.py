"""An estimate corrected by what was measured on this device: an offset, and a factor on what grows with the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
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
# How far the truth is from the formulas, and a measurement from the next one, as standard deviations. A process of the
# CPU has another peak each time, by some percent (holes in its heap), so two points alone would tell a wild line.
FACTOR_OFF = 0.15
OFFSET_OFF = 0.08  # of the fixed part
MEASURED_OFF = 0.02
MOST_FACTOR, MOST_OFFSET = 100.0, 1 << 50  # beyond which nothing was measured


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
        """The likeliest offset and factor, given the measurements and how far off each of them may be."""
        scale = max(point.fixed for point in points)
        # least squares on (offset / scale, factor - 1), a row for each measurement and one for each expectation
        rows = [
            (scale / (MEASURED_OFF * one.measured), one.growing / (MEASURED_OFF * one.measured),
             (one.measured - one.fixed - one.growing) / (MEASURED_OFF * one.measured))
            for one in points
        ]  # fmt: skip
        rows += [(1 / OFFSET_OFF, 0.0, 0.0), (0.0, 1 / FACTOR_OFF, 0.0)]
        aa, ab, bb = (sum(row[i] * row[j] for row in rows) for i, j in ((0, 0), (0, 1), (1, 1)))
        ay, by = (sum(row[i] * row[2] for row in rows) for i in (0, 1))
        determinant = aa * bb - ab * ab
        offset, more = (ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant
        return cls(round(offset * scale), max(0.0, 1 + more), run)

    def applied(self, found: Estimate) -> Estimate:
        """The estimate as the measurement corrects it; what is left of the offset is in the context's part."""
        return replace(
            found,
            activations=round(found.activations * self.factor),
            buffers=round(found.buffers * self.factor),
            context=max(0, found.context + self.offset),
            notes=(*found.notes, f"corrected by what run {self.run} measured on this device"),
        )


def read(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Calibration]:
    """As they stand in a run's inputs: key -> offset, factor, run; those that no measurement can have told are left
    out."""
    found = {}
    for key, one in stored.items():
        with suppress(ValueError, TypeError, LookupError, OverflowError, AttributeError):
            told = Calibration(int(one["offset"]), float(one["factor"]), int(one.get("run", 0)))
            if 0 <= told.factor <= MOST_FACTOR and abs(told.offset) <= MOST_OFFSET:
                found[key] = told
    return found


def key_of(config: Mapping[str, Any], params: Params, device: str) -> str:
    """For which trainings a measurement holds: the model's sizes, `KEYED` settings, and the device by name."""
    settings = {name: getattr(params, name, None) for name in KEYED}
    text = repr((Shape.of(config), sorted(settings.items()), device))
    return blake2b(text.encode(), digest_size=12).hexdigest()
