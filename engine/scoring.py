"""Figures from verdicts, for both planes: plausible@k, pass@k, intervals, two runs compared, two reviewers compared.

A bug counts only if its known fix passes its tests and its buggy code fails them. `not_run` counts as no verdict: a bug
counts at k only if its first k candidates all have a verdict, or one of them is plausible already. Once no more
candidates can come, the first k of a bug that has fewer are all that it has.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from engine.domain import Outcome

RANKS = (1, 5, 10, 50, 80, 100, 200)  # up to which plausible patches are counted
NO_RANK = 2**31 - 1  # behind every candidate


@dataclass(frozen=True)
class CandidateSummary:
    """How many candidates of one bug have a verdict, and how many are plausible; ranks count from 1.

    "Judged" is the name of the column in the database: having a verdict other than `not_run`.
    """

    first_plausible: int | None
    first_unjudged: int  # the smallest rank whose verdict is missing or may still come; NO_RANK: none
    plausible: int  # candidates that pass every test
    judged: int  # candidates with a verdict

    @classmethod
    def of(cls, outcomes: Mapping[int, str], *, is_over: bool = False) -> CandidateSummary:
        """From the outcome of each rank; `is_over`: no more will come, so a rank without outcome is no candidate."""
        judged = {rank for rank, outcome in outcomes.items() if outcome != Outcome.NOT_RUN}
        plausible = [rank for rank in judged if outcomes[rank] == Outcome.PLAUSIBLE]
        gap = next(rank for rank in range(1, len(judged) + 2) if rank not in judged)
        gap = NO_RANK if is_over and gap not in outcomes else gap
        return cls(min(plausible, default=None), gap, len(plausible), len(judged))

    def is_plausible_at(self, k: int) -> bool | None:
        """Whether one of the first k candidates is plausible; None if that is not known yet."""
        if self.first_plausible is not None and self.first_plausible <= k:
            return True
        return False if self.first_unjudged > k else None

    def pass_at(self, k: int) -> float | None:
        """The probability that k candidates drawn from the judged ones include a plausible one; None with fewer than k.

        1 - C(n - c, k) / C(n, k) for n judged and c plausible candidates (Chen et al., arXiv 2107.03374).
        """
        if self.judged < k:
            return None
        return 1 - math.comb(self.judged - self.plausible, k) / math.comb(self.judged, k)


@dataclass(frozen=True)
class Share:
    """`hits` of `total` bugs."""

    hits: int
    total: int

    @property
    def fraction(self) -> float:
        """`hits` / `total`; 0 if nothing was counted."""
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval for the fraction, 95 % (Wilson 1927); 0 to 1 if nothing was counted."""
        if not self.total:
            return 0.0, 1.0
        z, n, p = 1.959964, self.total, self.fraction
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)


def ranks(candidates: int) -> list[int]:
    """The k for which plausible@k is reported for a run with `candidates` per bug, `candidates` included."""
    return sorted({*(rank for rank in RANKS if rank <= candidates), candidates})


def control_trouble(known_fix: str | None, buggy_code: str | None) -> str:
    """Why a bug cannot be scored here, from the outcomes of its known fix and of its buggy code; empty if it can.

    None is an outcome that is not known yet.
    """
    for name, outcome in (("known fix", known_fix), ("buggy code", buggy_code)):
        if outcome == Outcome.NOT_RUN:
            return f"the {name} could not be run"
    if known_fix is not None and known_fix != Outcome.PLAUSIBLE:
        return f"the known fix does not pass its tests here ({known_fix})"
    return "the buggy code passes its tests here" if buggy_code == Outcome.PLAUSIBLE else ""


def counted_reasons(reasons: Mapping[str, int]) -> dict[str, int]:
    """How many bugs were set aside for each kind of reason: what stands before its first colon, "too_long"."""
    found: Counter[str] = Counter()
    for reason, bugs in reasons.items():
        found[reason.partition(":")[0]] += bugs
    return dict(found)


@dataclass(frozen=True)
class BugOutcomes:
    """The outcomes for one bug: its two controls, None while they are not known, and a summary of its candidates."""

    known_fix: str | None
    buggy_code: str | None
    candidates: CandidateSummary

    @property
    def trouble(self) -> str:
        """Why the bug cannot be scored here; empty if it can."""
        return control_trouble(self.known_fix, self.buggy_code)

    @property
    def has_failed_control(self) -> bool:
        """Whether the known fix fails or the buggy code passes; a control that was `not_run` has not failed."""
        return bool(self.trouble) and Outcome.NOT_RUN not in (self.known_fix, self.buggy_code)


@dataclass(frozen=True)
class Figures:
    """The figures of a benchmark run; all count bugs."""

    scored: int  # whose controls are as expected, and that have a candidate with a verdict
    control_failures: int  # whose known fix fails or whose buggy code passes
    plausible_at: dict[int, Share]  # k -> share with a plausible patch among its first k
    pass_at: dict[int, Mean]  # k -> pass@k of the bugs that have k candidates with a verdict; no k where none has
    repaired: int  # that have a plausible patch at all


def figures(bugs: Mapping[BugOutcomes, int], candidates: int, *, attempts: bool = False) -> Figures:
    """From the number of bugs with each combination of outcomes; of `candidates` a bug; no pass@k of `attempts`."""
    summaries: Counter[CandidateSummary] = Counter()
    failures = 0
    for bug, count in bugs.items():
        failures += count if bug.has_failed_control else 0
        if bug.candidates.judged and not bug.trouble:
            summaries[bug.candidates] += count
    at = {k: plausible_at(summaries, k) for k in ranks(candidates)}
    drawn = {} if attempts else chances(summaries, candidates)
    return Figures(summaries.total(), failures, at, drawn, repaired(summaries))


def repaired(summaries: Mapping[CandidateSummary, int]) -> int:
    """How many of these bugs have a plausible patch, at whatever rank."""
    return sum(count for at, count in summaries.items() if at.first_plausible is not None)


def shares_at(first: Mapping[int, int], of: Mapping[int, Share]) -> dict[int, Share]:
    """How many bugs have some plausible candidate among their first k, for each k of `of`, which gives the totals.

    `first`: rank of the first such candidate -> bugs.
    """
    return {k: Share(sum(n for rank, n in first.items() if rank <= k), share.total) for k, share in of.items()}


def plausible_at(summaries: Mapping[CandidateSummary, int], k: int) -> Share:
    """plausible@k; `summaries`: number of scored bugs by the summary of their candidates."""
    known = {at: count for at, count in summaries.items() if at.is_plausible_at(k) is not None}
    return Share(sum(count for at, count in known.items() if at.is_plausible_at(k)), sum(known.values()))


def pass_at(summaries: Mapping[CandidateSummary, int], k: int) -> float | None:
    """pass@k: the mean of the bugs' probabilities; None if no bug has k candidates with a verdict."""
    chances = [(chance, count) for at, count in summaries.items() if (chance := at.pass_at(k)) is not None]
    total = sum(count for _, count in chances)
    return sum(chance * count for chance, count in chances) / total if total else None


DRAWS = 1000  # of a bootstrap


@dataclass(frozen=True)
class Mean:
    """A mean over so many bugs, and its 95 % interval, `low` to `high`."""

    value: float
    low: float
    high: float
    bugs: int


def pass_at_with_interval(summaries: Mapping[CandidateSummary, int], k: int) -> Mean | None:
    """pass@k with the interval of its percentile bootstrap over bugs (Efron 1979); the same numbers every time.

    None where no bug has k candidates with a verdict.
    """
    value = pass_at(summaries, k)
    if value is None:
        return None
    import numpy as np  # only a comparison needs it

    known: Counter[float] = Counter()  # bugs by their chance: there are few different ones
    for at, count in summaries.items():
        if (chance := at.pass_at(k)) is not None:
            known[chance] += count
    chances, counts = np.array([*known]), np.array([*known.values()])
    total = int(counts.sum())
    drawn = np.random.default_rng(0).multinomial(total, counts / total, size=DRAWS) @ chances / total
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Mean(value, float(low), float(high), total)


def chances(summaries: Mapping[CandidateSummary, int], candidates: int) -> dict[int, Mean]:
    """pass@k with its interval for each k of `ranks` that some bug has so many candidates with a verdict for."""
    found = {k: pass_at_with_interval(summaries, k) for k in ranks(candidates)}
    return {k: mean for k, mean in found.items() if mean is not None}


@dataclass(frozen=True)
class Costs:
    """What a run took, or what it took for each of some bugs; None: not known, or not asked for."""

    tokens_written: float | None = None
    tokens_read: float | None = None  # of prompts
    seconds: float | None = None
    gpu_hours: float | None = None  # its seconds on each GPU that held the model, in hours; 0 on a CPU
    money: float | None = None
    currency: str = ""

    def for_each(self, bugs: int) -> Costs | None:
        """Each sum divided by a number of bugs; None for no bug."""
        if not bugs:
            return None
        sums = (self.tokens_written, self.tokens_read, self.seconds, self.gpu_hours, self.money)
        written, read, seconds, gpu_hours, money = (None if each is None else each / bugs for each in sums)
        return Costs(written, read, seconds, gpu_hours, money, self.currency)


def money(
    written: int | None, read: int | None, written_price: float | None, prompt_price: float | None
) -> float | None:
    """The price of tokens, each of both prices for a million; None where a number or a price is not known."""
    if written is None or read is None or written_price is None or prompt_price is None:
        return None
    return (written * written_price + read * prompt_price) / 1e6


@dataclass(frozen=True)
class Comparison:
    """Two runs over the bugs that count in both; the numbers of bugs that both, one, or neither repairs."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def p_value(self) -> float:
        """McNemar's exact test, two-sided: the probability of a split this uneven if both are equally good."""
        uneven = self.only_first + self.only_second
        fewer = min(self.only_first, self.only_second)
        return min(1.0, float(2 * sum(math.comb(uneven, i) for i in range(fewer + 1)) / 2**uneven))


def compare(pairs: Iterable[tuple[bool | None, bool | None]]) -> Comparison:
    """Compare by (repaired by the first, repaired by the second) of each bug; a bug with None in it is left out."""
    known = [(one, other) for one, other in pairs if one is not None and other is not None]
    return Comparison(*(known.count(pair) for pair in ((True, True), (True, False), (False, True), (False, False))))


@dataclass(frozen=True)
class Agreement:
    """How far two reviewers agree on the patches that both reviewed."""

    first: str
    second: str
    both: int  # patches that both reviewed
    same: int  # of these, with the same verdict of both
    kappa: float | None


def agreements(verdicts: Mapping[str, Mapping[int, str]]) -> list[Agreement]:
    """Of each two reviewers with a patch in common, by name; `verdicts`: reviewer -> patch -> verdict."""
    found = []
    for first, second in combinations(sorted(verdicts), 2):
        one, other = verdicts[first], verdicts[second]
        pairs = [(one[patch], other[patch]) for patch in one.keys() & other.keys()]
        if pairs:
            same = sum(a == b for a, b in pairs)
            found.append(Agreement(first, second, len(pairs), same, cohens_kappa(pairs)))
    return found


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """(p_o - p_e) / (1 - p_e): agreement beyond what chance gives; 1 is complete, 0 is chance's (Cohen 1960).

    None without pairs, and where chance alone agrees always, since both gave one and the same verdict throughout.
    """
    n, same = len(pairs), sum(a == b for a, b in pairs)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    by_chance = sum(first[verdict] * second[verdict] for verdict in first)  # n * n * p_e
    return (n * same - by_chance) / (n * n - by_chance) if n * n != by_chance else None
