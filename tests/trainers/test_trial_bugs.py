"""Bugs that are learned from, and the reward of each completion: tested once, in the sandbox, or without a reward."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.assets import STARTER_MODEL
from engine.domain import Bug, Completion, Model, Outcome, Span, Verdict
from engine.errors import OutsideFailure, UserError
from engine.models.tokenizer import tokenizer_of
from engine.trainers.grpo_settings import GrpoParams
from engine.trainers.rewards import Reward
from engine.trainers.trial_bugs import TrialBugs

STARTER = Model("starter", "base", str(STARTER_MODEL))


def bug(name):
    buggy = f"def {name}(a, b):\n    return a - b\n"
    return Bug(
        f"small/{name}", "python", f"{name}.py", buggy, buggy.replace("a - b", "a + b"), Span(2, 2), failing=("t",)
    )


class Small:
    """`good`, `broken`, whose known fix fails, and `away`, which cannot be tested here."""

    name = "small"

    def __init__(self):
        self.run = Counter()
        self.sandboxes = set()
        self.is_down = False

    def bugs(self):
        return [bug("good"), bug("broken"), bug("away")]

    def skipped(self):
        return {"small/away": "no JDK found"}

    def evaluate(self, bug, patch, sandbox):
        self.run[bug.id, patch.text] += 1
        self.sandboxes.add(sandbox)
        if self.is_down:
            return Verdict(Outcome.NOT_RUN, "infra_error")
        passes = patch.text == bug.fixed and bug.id != "small/broken"
        return Verdict(Outcome.PLAUSIBLE) if passes else Verdict(Outcome.TEST_FAILED, failed=("t",))


@pytest.fixture
def small(monkeypatch):
    made = Small()
    monkeypatch.setattr("engine.plugins.BENCHMARKS.create", lambda params: made)
    monkeypatch.setattr("engine.trainers.trial_bugs.usable", lambda params: "the sandbox")
    return made


@pytest.fixture
def bugs(small, tmp_path):
    params = GrpoParams(benchmark="pocket", max_new_tokens=20, workers=2)
    made = TrialBugs(params, STARTER, tokenizer_of(STARTER_MODEL).vocabulary(), tmp_path)
    yield made
    made.close()


def read(bugs, room=1000):
    told = []
    bugs.read(lambda prompts: [len(prompt) for prompt in prompts], room, lambda done, total: told.append((done, total)))
    return told


def test_only_bugs_whose_tests_work_here_are_learned_from(bugs):
    assert read(bugs) == [(0, 2), (1, 2)]
    assert list(bugs.trials) == ["small/good"]
    assert bugs.left_out == {
        "no JDK found": 1,
        "not scored: the known fix does not pass its tests here (test_failed)": 1,
    }


def test_equal_patches_are_tested_once_and_in_the_sandbox(bugs, small):
    read(bugs)
    small.run.clear()
    written = [
        Completion(text, n_tokens=5) for text in ("    return a + b\n", "    return a * b\n", "    return a + b\n")
    ]
    tried = bugs.judge(("small/good", each) for each in written)
    assert [each.reward for each in tried] == [Reward(1.0, 1.0, 0.75), Reward(1.0, 0.0, 0.0), Reward(1.0, 1.0, 0.75)]
    assert sorted(small.run.values()) == [1, 1]
    assert small.sandboxes == {"the sandbox"}


def test_the_buggy_code_again_is_not_tested_and_worth_nothing(bugs, small):
    read(bugs)
    small.run.clear()
    (tried,) = bugs.judge([("small/good", Completion("    return a - b\n", n_tokens=5))])
    assert (tried.reward, tried.verdict.outcome) == (Reward(0.0, 0.0, 0.0), Outcome.NO_PATCH)
    assert not small.run


def test_what_could_not_be_run_has_no_reward(bugs, small):
    read(bugs)
    small.is_down = True
    tried = bugs.judge([("small/good", Completion("    return b\n")), ("small/good", Completion("    return a - b\n"))])
    assert [each.reward for each in tried] == [None, Reward(0.0, 0.0, 0.0)]


def test_without_a_bug_that_can_be_tested_it_says_why(bugs, small):
    with pytest.raises(UserError, match="1 a prompt that is too long|2 a prompt that is too long"):
        read(bugs, room=3)
    small.is_down = True
    with pytest.raises(OutsideFailure, match=r"no bug of small can be tried here: .*could not be run \(infra_error\)"):
        read(bugs)


def test_steps_in_which_nothing_could_be_run_end_the_training(bugs, small):
    from engine.trainers.grpo_session import MOST_LOST, Rewarded

    class Writer:
        def read(self, ids):
            return Completion(f"    return {ids[0]}\n", n_tokens=1)

    read(bugs)
    rewarded, logged = Rewarded(bugs, Writer(), 2), []
    compiles, tests, _ = rewarded.parts()
    asked = {
        "completion_ids": [[1], [2]],
        "bug_id": ["small/good"] * 2,
        "log_metric": lambda *each: logged.append(each),
    }
    small.is_down = True
    for _ in range(MOST_LOST - 1):
        assert compiles(**asked) == [None, None] == tests(**asked)
    assert logged[:2] == [("plausible", 0.0), ("not_run", 1.0)]
    small.is_down = False
    assert compiles(**asked) == [1.0, 1.0]
    small.is_down = True
    for _ in range(MOST_LOST - 1):
        compiles(**asked)
    with pytest.raises(OutsideFailure, match=f"no patch could be tested for {MOST_LOST} steps: infra_error"):
        compiles(**asked)
