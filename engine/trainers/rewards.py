"""What a patch is worth as a number: parts for compiling, for its tests, and for being short."""

from __future__ import annotations

from dataclasses import dataclass, fields

from engine.domain import Bug, Completion, Outcome, Patch, Verdict

COMPILED = (Outcome.PLAUSIBLE, Outcome.TEST_FAILED, Outcome.TIMEOUT)
PARTLY = 0.5  # of a patch with which every test passes, for one with which all but a few do


@dataclass(frozen=True)
class Reward:
    """Its parts, each from 0 to 1; what they weigh is a setting."""

    compiles: float  # 1: a patch that changes something, and compiles
    tests: float  # 1: plausible; up to PARTLY: the share of the bug's failing tests that it repairs, breaking none
    length: float  # of plausible patches only: the share of the longest completion that was not needed


PARTS = tuple(each.name for each in fields(Reward))


def reward_of(bug: Bug, patch: Patch, completion: Completion, verdict: Verdict, limit: int) -> Reward | None:
    """The reward of one completion of at most `limit` tokens; None where the infrastructure failed.

    A completion that changes nothing is worth nothing, although the buggy code compiles. Only plausible patches are
    paid for being short: else the shortest completion would be the best one of those that repair nothing.
    """
    if verdict.outcome is Outcome.NOT_RUN:
        return None
    if patch.text is None or patch.text == bug.buggy or verdict.outcome not in COMPILED:
        return Reward(0.0, 0.0, 0.0)
    if verdict.is_plausible:
        written = limit if completion.n_tokens is None else completion.n_tokens
        return Reward(1.0, 1.0, max(0.0, 1 - written / limit))
    return Reward(1.0, PARTLY * _repaired(bug, verdict), 0.0)


def _repaired(bug: Bug, verdict: Verdict) -> float:
    """The share of the tests that the buggy code fails and this patch passes; 0 if it breaks one, or ended early."""
    failed = {*verdict.failed}
    if verdict.outcome is not Outcome.TEST_FAILED or verdict.reason or not failed or failed & {*bug.passing}:
        return 0.0
    still = sum(test in failed for test in bug.failing)
    return (len(bug.failing) - still) / len(bug.failing) if still else 0.0
