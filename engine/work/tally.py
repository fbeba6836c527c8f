"""Counts what is in a dataset, row by row: shares of kinds, projects and more, tokens, and what a window would cut.

A histogram includes every tokenised sample, even those over the cap, so that its effect can be seen; `counts[i]` is
the number of samples of `edges[i]` up to, not including, `edges[i + 1]` tokens; the last one includes all longer ones.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from engine.listed import LONGEST
from engine.results import ALL_LEARNED, PARTS
from engine.specs import DatasetSpec
from engine.training_set import Row

_BINS = 64  # half of them up to the cap, half above
WINDOWS = (1024, 2048, 4096)  # tokens
SHARES = {"kinds": "kind", "languages": "language", "projects": "project", "cwes": "cwe"}  # in the report -> column
CUTS = (*PARTS, ALL_LEARNED)
MOST_SHARES = 200  # values of one column in the report, the most frequent ones


@dataclass(frozen=True)
class Marks:
    """How many tokens of a sample reach to the end of its mark, and of its faulty lines; None: it shows none."""

    hole: int | None = None
    faulty: int | None = None

    def cut(self, row: Row, window: int) -> list[str]:
        """What of a sample a window of its first tokens would cut off: some of `CUTS`."""
        ends = (row.n_tokens, self.hole, self.faulty, row.n_prompt + 1)
        return [name for name, end in zip(CUTS, ends, strict=True) if end is not None and end > window]


@dataclass
class Kept:
    """The rows that are in the dataset."""

    n_rows: int = 0
    tokens: int = 0
    learned: int = 0
    longest: int = 0
    undated: int = 0
    only_ends: int = 0  # of which only the end of the text is learned: their fix deletes lines
    shares: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in SHARES})


class Tally:
    """Counts the rows that are kept, and what is too long of all."""

    def __init__(self, spec: DatasetSpec) -> None:
        self.kept = self.nothing_kept()
        self._spec = spec
        self._width = -(-spec.max_tokens // (_BINS // 2))
        self._counts = {side: [0] * _BINS for side in ("histogram", "prompts", "targets")}
        self._windows = {tokens: Counter[str]() for tokens in sorted({*WINDOWS, spec.max_tokens})}

    @staticmethod
    def nothing_kept() -> Kept:
        """As before the first row is kept."""
        return Kept()

    def too_long(self, row: Row, marks: Marks) -> str:
        """Why a row is over a cap; empty if it is over none. Counts its lengths."""
        n_target = row.n_tokens - row.n_prompt
        for side, tokens in (("histogram", row.n_tokens), ("prompts", row.n_prompt), ("targets", n_target)):
            self._counts[side][min(tokens // self._width, _BINS - 1)] += 1
        for window, counts in self._windows.items():
            counts["kept"] += row.n_tokens <= window
            counts["prompts"] += row.n_prompt <= window
            counts["targets"] += n_target <= window
            if row.n_tokens > window:
                counts.update(marks.cut(row, window))
        caps = ((self._spec.max_prompt, row.n_prompt, "prompt "), (self._spec.max_target, n_target, "target "))
        for most, tokens, side in caps:
            if most is not None and tokens > most:
                return f"{side}longer than {most} tokens"
        return too_long(self._spec) if row.n_tokens > self._spec.max_tokens else ""

    def keep(self, row: Row) -> None:
        """The row is in the dataset."""
        kept = self.kept
        learned = sum(row.learned[1::2]) - sum(row.learned[::2])
        kept.n_rows += 1
        kept.tokens += row.n_tokens
        kept.learned += learned
        kept.longest = max(kept.longest, row.n_tokens)
        kept.undated += not row.day
        kept.only_ends += learned == 1 and not row.target
        for name, column in SHARES.items():
            kept.shares[name][getattr(row, column)] += 1

    def report(self) -> dict[str, Any]:
        """kinds and other shares, mean_tokens, learned_tokens and max_tokens of what is kept; lengths of all.

        `windows`: for each number of tokens how many samples have at most so many in all (kept), in the prompt and in
        the target, and of how many longer ones a window of so many first tokens would cut off which part.
        """
        kept = self.kept
        edges = [self._width * i for i in range(_BINS + 1)]
        return {
            **{
                name: {value[:LONGEST]: n for value, n in counts.most_common(MOST_SHARES)}
                for name, counts in kept.shares.items()
            },
            "distinct": {name: len(counts) for name, counts in kept.shares.items()},
            **{side: {"edges": edges, "counts": counts} for side, counts in self._counts.items()},
            "max_tokens": kept.longest,
            "mean_tokens": round(kept.tokens / max(1, kept.n_rows), 1),
            "learned_tokens": kept.learned,
            "only_ends": kept.only_ends,
            "undated": kept.undated,
            "windows": [
                {
                    "tokens": tokens,
                    **{name: counts[name] for name in ("kept", "prompts", "targets")},
                    "cut": {name: counts[name] for name in CUTS},
                }
                for tokens, counts in self._windows.items()
            ],
        }


def long_from(spec: DatasetSpec) -> int:
    """Tokens of a row; the marks of longer ones are asked for."""
    return min(*WINDOWS, spec.max_tokens)


def too_long(spec: DatasetSpec) -> str:
    """The reason for which rows over the cap of both sides together are left out."""
    return f"longer than {spec.max_tokens} tokens"
