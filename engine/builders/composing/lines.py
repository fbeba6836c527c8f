"""Postprocessors: which lines of a composed context stay, and in which form.

Lines come chunk by chunk, the nearest to the completion file first, and the separators' blank lines with them, as in
the whole context.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from engine import params
from engine.builders.composing import Postprocessor, Target
from engine.params import setting

Change = Callable[[Sequence[str]], list[str]]


class PartialMemory(Postprocessor):
    """Drops each line with a probability, lines with paths too (S3, PartialMemoryPostprocessor)."""

    name = "partial_memory"

    class Params(params.Params):
        """How much is forgotten."""

        dropout: float = setting(0.5, "probability that a line is dropped", ge=0, le=1)
        seed: int = setting(1337, "of what is dropped")

    def begin(self, target: Target) -> Change:
        random, dropout = target.random("partial memory", self.params.seed), self.params.dropout
        return lambda lines: [line for line in lines if random.random() >= dropout]


class LineLength(Postprocessor):
    """Keeps lines of so many characters (S3, LineLengthPostprocessor)."""

    name = "line_length"

    class Params(params.Params):
        """Both ends belong to it; the numbers are those of S3's `strip`."""

        min: int = setting(10, "fewest", unit="characters", ge=0)
        max: int = setting(200, "most", unit="characters", ge=0)

    def begin(self, target: Target) -> Change:
        least, most = self.params.min, self.params.max
        return lambda lines: [line for line in lines if least <= len(line) <= most]


class LineStrip(Postprocessor):
    """Removes white space on both sides of each line (S3, LineStripPostprocessor)."""

    name = "line_strip"

    def begin(self, target: Target) -> Change:
        return lambda lines: [line.strip() for line in lines]


class InverseFrequencyMemory(Postprocessor):
    """Keeps a line that stands n times nearer to the completion file with a probability of 1 / (n + 1).

    White space around it does not count. In S3 there is the name alone: its part changes nothing.
    """

    name = "inverse_frequency_memory"

    class Params(params.Params):
        """Which lines are chosen."""

        seed: int = setting(1337, "of what is dropped")

    def begin(self, target: Target) -> Change:
        random = target.random("inverse frequency", self.params.seed)
        seen: Counter[str] = Counter()

        def kept(lines: Sequence[str]) -> list[str]:
            found = []
            for line in reversed(lines):  # the nearest first
                plain = line.strip()
                if random.random() < 1 / (seen[plain] + 1):
                    found.append(line)
                seen[plain] += 1
            return found[::-1]

        return kept
