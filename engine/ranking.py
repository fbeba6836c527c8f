"""Orders of a bug's candidates, and whether the first of each is plausible: what choosing one patch would give.

A generator's `score` is the mean log-probability of a token, so it does not depend on a completion's length; the sum of
a completion's log-probabilities is that times its tokens. Agreement takes the patch that most candidates have, as in
self-consistency (Wang et al., arXiv 2203.11171) and majority voting; patches are equal if
their syntax trees are, or their texts where one does not parse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.domain import Outcome

# name of an order -> what comes first in it
ORDERS = {
    "mean": "highest mean log-probability of a token",
    "total": "highest log-probability of the whole completion",
    "agreement": "patch that most candidates have",
    "edit": "fewest characters removed and added",
}


@dataclass(frozen=True)
class Ranked:
    """What the orders look at in one candidate."""

    rank: int  # as generated, from 1
    outcome: str
    score: float | None = None
    tokens: int | None = None  # written
    patch: str | None = None  # equal for equal patches; None: there is none
    edit: int | None = None  # characters; 0: it changes nothing; None: not known, or no patch

    @property
    def changes_something(self) -> bool:
        return self.patch is not None and self.edit != 0


def tops(candidates: Sequence[Ranked]) -> dict[str, bool | None]:
    """For each of ORDERS whether the candidate that it puts first is plausible.

    None where that candidate was not run, or something that the order needs is not known of each candidate. Candidates
    that are equal in an order stay as they were generated; those without a patch, and those that change nothing, come
    last by agreement and by edit.
    """
    return {order: _is_plausible(KEYS[order](candidates), candidates) for order in ORDERS}


Key = tuple[float, ...]


def _is_plausible(keys: Sequence[Key] | None, candidates: Sequence[Ranked]) -> bool | None:
    if not keys:
        return None
    _, first = min(zip(keys, candidates, strict=True), key=lambda each: (each[0], each[1].rank))
    return None if first.outcome == Outcome.NOT_RUN else first.outcome == Outcome.PLAUSIBLE


def _by_mean(candidates: Sequence[Ranked]) -> list[Key] | None:
    keys: list[Key] = [(-each.score,) for each in candidates if each.score is not None]
    return keys if len(keys) == len(candidates) else None


def _by_total(candidates: Sequence[Ranked]) -> list[Key] | None:
    keys: list[Key] = [
        (-each.score * each.tokens,) for each in candidates if each.score is not None and each.tokens is not None
    ]
    return keys if len(keys) == len(candidates) else None


def _by_agreement(candidates: Sequence[Ranked]) -> list[Key]:
    votes = Counter(each.patch for each in candidates)
    return [(not each.changes_something, -votes[each.patch]) for each in candidates]


def _by_edit(candidates: Sequence[Ranked]) -> list[Key] | None:
    if any(each.patch is not None and each.edit is None for each in candidates):
        return None
    return [(not each.changes_something, each.edit or 0) for each in candidates]


KEYS: dict[str, Callable[[Sequence[Ranked]], Sequence[Key] | None]] = {
    "mean": _by_mean,
    "total": _by_total,
    "agreement": _by_agreement,
    "edit": _by_edit,
}
