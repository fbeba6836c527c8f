"""What models wrote in runs and conversations becomes samples if it passed, exactly as it was read and written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from answered_run import BUGS, ONE, OTHER, STARTER, ask, new_run, say_bug, say_patch, say_turn

from engine.assets import STARTER_MODEL
from engine.builders import Funnel
from engine.builders.answers.run import GONE, AnsweredRun
from engine.builders.answers.source import SHARED
from engine.builders.contract import check
from engine.builders.verdicts import Verdicts
from engine.domain import Model
from engine.errors import UserError
from engine.models.tokenizer import tokenizer_of
from engine.plugins import REPRESENTATIONS

sys.path.append(str(Path(__file__).resolve().parents[1] / "work"))
from small_dataset import make  # noqa: F401


def taken(*runs, **settings):
    funnel = Funnel()
    builder = Verdicts(Verdicts.Params(runs=tuple(str(run.path) for run in runs), **settings))
    return list(builder.stream(0, funnel)), funnel


def prompt_of(bug_id):
    vocabulary = tokenizer_of(STARTER_MODEL).vocabulary()
    return REPRESENTATIONS.from_value("ir4_or2").for_vocabulary(vocabulary).encode(BUGS[bug_id]).prompt


def test_what_passed_becomes_a_sample_of_what_was_read_and_written(tmp_path):
    run = new_run(tmp_path / "6")
    say_bug(run)
    say_bug(run, OTHER)
    say_patch(run, 0, "plausible", source="known_fix")
    say_patch(run, 1, "test_failed")
    say_patch(run, 2)
    say_patch(run, 3, same_as=2)
    say_patch(run, 4, isolation="shared")
    say_patch(run, 1, "not_run", bug_id=OTHER)
    samples, funnel = taken(run)
    (sample,) = samples
    assert (sample.bug_id, sample.project) == (f"{ONE}, run 6, rank 2", ONE)
    assert (sample.prompt, sample.target) == (prompt_of(ONE), "        number = 2\n")
    assert sample.bug.fixed == BUGS[ONE].replace_span("        number = 2\n")
    assert sample.bug.fix_is_in_span
    assert funnel.source == 5
    assert funnel.lost == {
        "its verdict is test_failed": 1,
        "the same patch as an earlier answer": 1,
        SHARED: 1,
        "its verdict is not_run": 1,
    }
    assert [each.bug_id for each in taken(run, shared=True)[0]] == [f"{ONE}, run 6, rank {rank}" for rank in (2, 4)]


def test_the_last_verdict_counts(tmp_path):
    run = new_run(tmp_path / "6")
    say_bug(run)
    say_patch(run, 1, "not_run")
    say_patch(run, 2)
    say_patch(run, 1, text="        again\n")
    say_patch(run, 2, "timeout")
    samples, funnel = taken(run)
    assert [(each.bug_id, each.target) for each in samples] == [(f"{ONE}, run 6, rank 1", "        again\n")]
    assert funnel.lost == {"its verdict is timeout": 1}


def test_as_many_of_a_bug_as_are_asked_for(tmp_path):
    run = new_run(tmp_path / "6")
    for bug_id in (ONE, OTHER):
        say_bug(run, bug_id)
        for rank in (1, 2, 3):
            say_patch(run, rank, bug_id=bug_id)
    samples, funnel = taken(run, most=2)
    assert [each.bug_id.rpartition(" ")[2] for each in samples] == ["1", "2", "1", "2"]
    assert funnel.lost == {"more than 2 of a bug": 2}


def test_what_a_model_read_must_be_known(tmp_path):
    changed, short = new_run(tmp_path / "1"), new_run(tmp_path / "2")
    say_bug(changed, buggy="something else\n")
    say_bug(short, whole_tokens=9000)
    for run in (changed, short):
        say_patch(run, 1)
    assert taken(changed)[1].lost == {"its bug is no longer in the benchmark as it was": 1}
    assert taken(short)[1].lost == {"its prompt was shortened to fit, so what the model read is not known": 1}


def test_a_conversation_tells_itself_what_was_read(tmp_path):
    run = new_run(tmp_path / "9", "chat")
    ask(run, 1)
    say_turn(run, 1, 2, "test_failed", "        no\n", prompt="first")
    say_turn(run, 1, 4, "plausible", "        yes\n", prompt="second")
    (sample,), funnel = taken(run)
    assert (sample.prompt, sample.target) == ("second", "        yes\n")
    assert sample.bug_id == f"{ONE}, run 9, conversation 1, turn 4"
    assert funnel.lost == {"its verdict is test_failed": 1}
    service = new_run(tmp_path / "10", "chat", Model("big", "endpoint", ""))
    ask(service, 1)
    say_turn(service, 1, 2, "plausible", "        yes\n")
    assert list(taken(service)[1].lost) == [
        "its conversation was held with a service, and as what messages it read is not known"
    ]


def test_runs_that_cannot_be_learned_from_are_refused(tmp_path):
    def refused(words, *runs):
        with pytest.raises(UserError, match=words):
            Verdicts(Verdicts.Params(runs=runs)).check()

    refused("no run is named")
    refused(r"cannot be read", str(tmp_path / "nowhere"))
    made_elsewhere = new_run(tmp_path / "3", "validate")
    refused("run 3 judged patches that were made elsewhere", str(made_elsewhere.path))
    refused("run 4 is of the kind 'train'", str(new_run(tmp_path / "4", "train").path))
    unknown = new_run(tmp_path / "5", benchmark={"name": "of another version"})
    refused("the benchmark of run 5 cannot be read: .*of another version", str(unknown.path))


def test_the_tokenizer_must_be_that_of_the_runs_model(tmp_path):
    run = new_run(tmp_path / "6")
    builder = Verdicts(Verdicts.Params(runs=(str(run.path),)))
    builder.check_tokenizer(Path(STARTER.path))
    with pytest.raises(UserError, match="run 6 was made with another model's tokenizer"):
        builder.check_tokenizer(tmp_path)


def test_contract(tmp_path):
    run = new_run(tmp_path / "6")
    say_bug(run)
    for rank, outcome in enumerate(("plausible", "plausible", "test_failed"), start=1):
        say_patch(run, rank, outcome)
    check(Verdicts(Verdicts.Params(runs=(str(run.path),))))


@pytest.mark.parametrize("name", ["verdicts", "verdict_pairs"])
def test_what_was_learned_from_a_benchmark_is_known_as_its_code(tmp_path, make, name):  # noqa: F811
    run = new_run(tmp_path / "6")
    say_bug(run)
    say_patch(run, 1)
    say_patch(run, 2, "test_failed")
    builder = {"name": name, "runs": [str(run.path)]}
    report = make(builder=builder, exclude=[], valid_fraction=0)[1]
    assert sum(report["rows"].values()) == 1
    with pytest.raises(UserError, match=r"1 \(in the benchmark pocket\); pocket is among exclude"):
        make(builder=builder, exclude=["pocket"], valid_fraction=0)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("events.jsonl", None, "cannot be read: No such file or directory; choose another"),
        ("inbox.jsonl", b"no json\n", "cannot be read: it is damaged"),
        ("inbox.jsonl", b"[" * 100_000 + b"\n", "cannot be read: it is damaged"),
    ],
)
def test_a_run_whose_folder_is_damaged_says_so(tmp_path, name, content, said):
    run = new_run(tmp_path / "6", kind="chat")
    say_turn(run, 1, 1, "plausible", "        number = 1\n")
    if content is None:
        (run.path / name).unlink()
    else:
        (run.path / name).write_bytes(content)
    with pytest.raises(UserError, match=said):
        taken(run)


def test_questions_that_are_none_are_passed_over(tmp_path):
    run = new_run(tmp_path / "6", kind="chat")
    (run.path / "inbox.jsonl").write_text('[]\n5\n{"conversation": []}\n')
    ask(run, 1)
    say_turn(run, 1, 1, "plausible", "        number = 1\n")
    assert len(taken(run)[0]) == 1


def test_a_run_that_changes_while_it_is_read_is_counted(tmp_path, monkeypatch):
    run = new_run(tmp_path / "6")
    say_bug(run)
    for rank in range(1, 6):
        say_patch(run, rank)
    whole = AnsweredRun.judged

    def judged(self):
        found = whole(self)
        os.truncate(run.events_path, run.events_path.stat().st_size // 2)
        return found

    monkeypatch.setattr(AnsweredRun, "judged", judged)
    samples, funnel = taken(run)
    assert 0 < funnel.lost[GONE] == 5 - len(samples)
    assert funnel.source == 5
