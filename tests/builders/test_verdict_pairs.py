"""An answer that passed is set against one to the same prompt that did not."""

from __future__ import annotations

from answered_run import BUGS, ONE, OTHER, ask, new_run, say_bug, say_patch, say_turn

from engine.builders import Funnel
from engine.builders.contract import check
from engine.builders.verdict_pairs import VerdictPairs


def paired(run, **settings):
    funnel = Funnel()
    builder = VerdictPairs(VerdictPairs.Params(runs=(str(run.path),), **settings))
    return list(builder.stream(0, funnel)), funnel


def ranks(pairs):
    """Ranks of the better and the worse answer, which stand in their texts."""
    return [(int(each.chosen.split()[-1]), int(each.rejected.split()[-1])) for each in pairs]


def judged(tmp_path, *outcomes, bug_id=ONE, **more):
    run = new_run(tmp_path / "6")
    say_bug(run, bug_id)
    for rank, outcome in enumerate(outcomes, start=1):
        say_patch(run, rank, outcome, bug_id=bug_id, **more)
    return run


def test_each_failed_patch_is_paired_with_a_plausible_one_in_turn(tmp_path):
    run = judged(tmp_path, "test_failed", "plausible", "test_failed", "plausible", "test_failed", "test_failed")
    pairs, funnel = paired(run, pairs=3)
    assert ranks(pairs) == [(2, 1), (4, 3), (2, 5)]
    assert pairs[0].bug_id == f"{ONE}, run 6, rank 2 against rank 1"
    assert pairs[0].prompt.startswith("<|fim_prefix|>")
    assert (pairs[0].project, pairs[0].bug.buggy) == (ONE, BUGS[ONE].buggy)
    assert (funnel.source, funnel.lost) == (4, {"more than 3 pairs of a prompt": 1})


def test_which_patches_are_worse(tmp_path):
    run = judged(tmp_path, "plausible", "compile_error", "timeout", "test_failed", "no_patch", "not_run")
    assert ranks(paired(run)[0]) == [(1, 4)]
    assert ranks(paired(run, worse="any")[0]) == [(1, 2), (1, 3), (1, 4)]


def test_without_a_plausible_patch_that_counts_there_is_no_pair(tmp_path):
    pairs, funnel = paired(judged(tmp_path, "test_failed", "plausible", isolation="shared"))
    assert pairs == []
    assert funnel.lost == {"no answer to its prompt passes": 1}
    assert len(paired(judged(tmp_path, "test_failed", "plausible", isolation="shared"), shared=True)[0]) == 1


def test_bugs_are_not_mixed(tmp_path):
    run = judged(tmp_path, "plausible")
    say_bug(run, OTHER)
    say_patch(run, 1, "test_failed", bug_id=OTHER)
    assert paired(run)[0] == []


def test_in_conversations_the_same_prompt_is_needed(tmp_path):
    run = new_run(tmp_path / "9", "chat")
    for conversation in (1, 2):
        ask(run, conversation)
    say_turn(run, 1, 2, "test_failed", "        a = 1\n", prompt="first")
    say_turn(run, 1, 4, "plausible", "        a = 2\n", prompt="second")
    say_turn(run, 2, 2, "plausible", "        a = 3\n", prompt="first")
    pairs, funnel = paired(run)
    assert ranks(pairs) == [(3, 1)]
    assert pairs[0].prompt == "first"


def test_in_a_conversation_turns_with_different_prompts_are_paired_where_that_is_wanted(tmp_path):
    run = new_run(tmp_path / "9", "chat")
    for conversation in (1, 2, 3):
        ask(run, conversation)
    say_turn(run, 1, 2, "test_failed", "        a = 1\n", prompt="first")
    say_turn(run, 1, 4, "plausible", "        a = 2\n", prompt="second")
    say_turn(run, 2, 2, "plausible", "        a = 3\n", prompt="third")
    say_turn(run, 3, 2, "test_failed", "        a = 4\n", prompt="fourth")
    say_turn(run, 3, 4, "plausible", "        a = 5\n", prompt="fifth")
    pairs, funnel = paired(run, across=True)
    assert [(pair.prompt, pair.chosen.strip(), pair.rejected.strip()) for pair in pairs] == [
        ("first", "a = 2", "a = 1"),
        ("fourth", "a = 5", "a = 4"),
    ], "both answer what was asked when it failed"
    pairs, _ = paired(run, across=True, conversations=(3,))
    assert [pair.prompt for pair in pairs] == ["fourth"]


def test_contract(tmp_path):
    run = judged(tmp_path, "plausible", "test_failed", "test_failed")
    check(VerdictPairs(VerdictPairs.Params(runs=(str(run.path),))))
