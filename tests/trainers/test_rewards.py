"""What a patch is worth, and what is worth nothing."""

from __future__ import annotations

import pytest

from engine.domain import Bug, Completion, Outcome, Patch, Span, Verdict
from engine.trainers.rewards import PARTLY, Reward, reward_of

BUG = Bug(
    "b/1", "python", "a.py", "def f(a):\n    return a - 1\n", "def f(a):\n    return a + 1\n", Span(2, 2),
    failing=("test_a", "test_b", "test_c", "test_d"), passing=("test_e",),
)  # fmt: skip
PATCH = Patch(BUG.id, "def f(a):\n    return a * 1\n")


def worth(outcome, *failed, patch=PATCH, reason="", tokens=16):
    return reward_of(BUG, patch, Completion("", n_tokens=tokens), Verdict(outcome, reason, failed=failed), 64)


def test_a_plausible_patch_gets_everything_and_more_for_being_short():
    assert worth(Outcome.PLAUSIBLE) == Reward(1.0, 1.0, 0.75)
    assert worth(Outcome.PLAUSIBLE, tokens=64) == Reward(1.0, 1.0, 0.0)


def test_what_the_infrastructure_lost_has_no_reward_and_not_zero():
    assert worth(Outcome.NOT_RUN) is None


@pytest.mark.parametrize(
    ("outcome", "patch"),
    [
        (Outcome.NO_PATCH, Patch(BUG.id, None, "no code")),
        (Outcome.COMPILE_ERROR, PATCH),
        (Outcome.TEST_FAILED, Patch(BUG.id, BUG.buggy)),  # it compiles, and so does the fault itself
    ],
)
def test_no_patch_no_compiling_patch_and_no_change_are_worth_nothing(outcome, patch):
    assert worth(outcome, *BUG.failing, patch=patch) == Reward(0.0, 0.0, 0.0)


def test_a_failed_patch_is_worth_the_share_of_failing_tests_that_it_repairs_but_never_length():
    assert worth(Outcome.TEST_FAILED, *BUG.failing) == Reward(1.0, 0.0, 0.0)
    assert worth(Outcome.TEST_FAILED, "test_a") == Reward(1.0, PARTLY * 0.75, 0.0)


def test_a_patch_that_breaks_a_test_or_ends_early_gets_nothing_for_tests():
    assert worth(Outcome.TEST_FAILED, "test_a", "test_e") == Reward(1.0, 0.0, 0.0)
    assert worth(Outcome.TEST_FAILED, "test_a", reason="memory") == Reward(1.0, 0.0, 0.0)
    assert worth(Outcome.TIMEOUT, "test_a") == Reward(1.0, 0.0, 0.0)
    assert worth(Outcome.TEST_FAILED) == Reward(1.0, 0.0, 0.0), "nobody said which tests failed"


def test_a_refused_forgery_gets_nothing_for_tests():
    """Such a patch passed once, so no test is named as failed that the buggy code fails."""
    assert worth(Outcome.TEST_FAILED, "test_z") == Reward(1.0, 0.0, 0.0)
