"""A chat worker answers each question once, streams its answer, and reports errors in the conversation."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict

import pytest

from engine.domain import Outcome, Patch, Turn, Verdict
from engine.generators.sampling import Sampling
from engine.models import loading
from engine.rundir import Inputs, RunDir
from engine.specs import ChatSpec
from engine.work.chat import chat

SPEC = ChatSpec(
    representation={"name": "ir4_or2", "context": "file"},
    generator={"name": "sampling", "max_new_tokens": 8, "temperature": 1.5},
)


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run", {}, Inputs())


def said(run, kind):
    return [asdict(event.payload) for event in run.events().events if event.kind == kind]


def ask(run, bug="small/add", conversation=1, question=1, **more):
    run.ask(ask="reply", conversation=conversation, question=question, bug=bug, budget=2, turns=[], **more)


def until_told_to_stop(tiny, run):
    run.ask(ask="stop")
    return chat(SPEC, Inputs(model=tiny), run)


def test_each_answer_is_streamed_then_evaluated(tiny, small, run):
    ask(run)
    done = until_told_to_stop(tiny, run)
    turns = said(run, "turn")
    assert [turn["role"] for turn in turns] == ["assistant", "tool", "assistant"]
    assert [turn["number"] for turn in turns] == [1, 2, 3]
    assert "assert 3 == -1" in turns[1]["text"], "the failure goes into the next turn"
    assert all(turn["verdict"]["outcome"] == "test_failed" for turn in turns[::2])
    streamed = ""
    for delta in said(run, "delta"):
        streamed = delta["text"] if delta["restart"] else streamed + delta["text"]
    assert turns[-1]["text"]
    assert streamed.startswith(turns[-1]["text"]), "an answer that does not end is cut to what belongs into the hole"
    assert done == {"conversations": 1, "questions": 1, "turns": 3}
    assert said(run, "progress")[-1]["text"] == "ready"


def test_the_users_message_comes_first(tiny, small, run):
    ask(run, message="  use addition  ")
    until_told_to_stop(tiny, run)
    first = said(run, "turn")[0]
    assert (first["role"], first["text"], first["verdict"]) == ("user", "use addition", None)


class Branching:
    """A strategy that answers twice, both times after the last turn that it is given; the test sees what that was."""

    def __init__(self):
        self.paths = []

    ends_at_plausible = True

    def reply(self, bug, conversation, budget, representation, complete, evaluate, count=len):
        path = conversation.path
        self.paths.append([(turn.number, turn.parent, turn.text) for turn in path])
        for text in ("one", "other"):
            patch = Patch(bug.id, text, rule=f"bare:{text}")
            yield Turn("assistant", text, patch, evaluate(bug, patch), parent=path[-1].number)


@pytest.fixture
def branching(monkeypatch):
    made = Branching()
    monkeypatch.setattr("engine.plugins.STRATEGIES.create", lambda params: made)
    return made


def test_a_strategy_that_branches_names_the_turn_that_it_means(tiny, small, run, branching):
    ask(run, message="use addition")
    until_told_to_stop(tiny, run)
    assert branching.paths == [[(1, None, "use addition")]]
    assert [(turn["number"], turn["parent"]) for turn in said(run, "turn")] == [(1, None), (2, 1), (3, 1)]
    assert [turn["rule"] for turn in said(run, "turn")] == ["", "bare:one", "bare:other"]


def test_a_question_after_an_earlier_turn_overwrites_no_other(tiny, small, run, branching):
    ask(run, message="use addition")
    until_told_to_stop(tiny, run)
    told = said(run, "turn")
    (run.path / "inbox.jsonl").unlink()
    run.ask(ask="reply", conversation=1, question=2, bug="small/add", budget=2, message="be brief", after=2, turns=told)
    until_told_to_stop(tiny, RunDir(run.path))
    assert branching.paths[-1] == [(1, None, "use addition"), (2, 1, "one"), (4, 2, "be brief")]
    assert [(turn["number"], turn["parent"]) for turn in said(run, "turn")[3:]] == [(4, 2), (5, 4), (6, 4)]


def test_the_verdicts_of_earlier_turns_are_told_whole(tiny, small, run, branching, monkeypatch):
    seen = []
    reply = branching.reply
    monkeypatch.setattr(branching, "reply", lambda bug, talk, *how: seen.extend(talk.path) or reply(bug, talk, *how))
    verdict = {"outcome": "test_failed", "failed": ["test_add"], "duration_s": 0.5, "sandbox": "none needed"}
    told = {"conversation": 1, "number": 1, "role": "assistant", "text": "no", "patch": "x", "verdict": verdict}
    run.ask(ask="reply", conversation=1, question=1, bug="small/add", budget=1, turns=[told])
    until_told_to_stop(tiny, run)
    assert seen[0].verdict == Verdict(Outcome.TEST_FAILED, failed=("test_add",), duration_s=0.5, sandbox="none needed")


def test_a_bug_that_is_too_long_becomes_a_message_and_does_not_end_the_worker(tiny, small, run):
    ask(run, bug="small/long")
    ask(run, bug="small/nothing", conversation=2)
    ask(run, conversation=3)
    until_told_to_stop(tiny, run)
    reasons = {turn["conversation"]: turn["patch_reason"] for turn in said(run, "turn") if turn["role"] == "assistant"}
    assert "tokens" in reasons[1]
    assert "there is no bug 'small/nothing'" in reasons[2]
    assert reasons[3] == ""
    assert [fields["conversation"] for fields in said(run, "answered")] == [1, 2, 3]


def test_a_worker_started_again_answers_only_what_was_not_answered(tiny, small, run):
    ask(run)
    until_told_to_stop(tiny, run)
    before = len(said(run, "turn"))
    (run.path / "inbox.jsonl").write_text("".join((run.path / "inbox.jsonl").read_text().splitlines(True)[:1]))
    ask(run, question=2)
    until_told_to_stop(tiny, RunDir(run.path))
    assert [fields["question"] for fields in said(run, "answered")] == [1, 2]
    assert len(said(run, "turn")) == 2 * before + 1, "the second answer begins with the tests of the first"


def test_a_worker_started_again_draws_another_answer_to_the_same_prompt(tiny, small, run):
    once = {"settings": {"strategy": {"name": "single_shot"}}}
    ask(run, **once)
    until_told_to_stop(tiny, run)
    (run.path / "inbox.jsonl").unlink()
    ask(run, question=2, after=0, **once)
    until_told_to_stop(tiny, RunDir(run.path))
    first, second = said(run, "turn")
    assert first["prompt"] == second["prompt"]
    assert first["text"] != second["text"]


def test_a_worker_stopped_during_an_answer_continues_it(tiny, small, run):
    ask(run, message="use addition")
    until_told_to_stop(tiny, run)
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    end = next(n for n, line in enumerate(lines) if b'"event": "turn"' in line and b'"assistant"' in line)
    run.events_path.write_bytes(b"".join(lines[: end + 1]))  # killed after the first of two answers
    until_told_to_stop(tiny, RunDir(run.path))
    turns = said(run, "turn")
    assert [turn["role"] for turn in turns] == ["user", "assistant", "tool", "assistant"]
    assert [turn["number"] for turn in turns] == [1, 2, 3, 4]
    assert [fields["question"] for fields in said(run, "answered")] == [1]


def test_the_stored_prompt_is_what_the_model_read(tiny, small, run, monkeypatch):
    read = []
    stream = Sampling.stream
    monkeypatch.setattr(Sampling, "stream", lambda self, prompt: read.append(prompt) or stream(self, prompt))
    ask(run)
    until_told_to_stop(tiny, run)
    prompts = [turn["prompt"] for turn in said(run, "turn") if turn["role"] == "assistant"]
    assert len(prompts) == 2
    assert set(prompts) <= set(read)
    assert "assert 3 == -1" in prompts[1], "the failure is in the second prompt"
    assert [turn["prompt"] for turn in said(run, "turn") if turn["role"] == "tool"] == [""]


def test_silence_ends_the_worker(tiny, small, run):
    done = threading.Event()
    threading.Thread(target=lambda: (chat(SPEC, Inputs(model=tiny), run, idle_s=0.0), done.set())).start()
    assert done.wait(60)


def test_a_question_for_another_adapter_is_answered_as_by_a_worker_of_its_own(
    tiny, tiny_adapter, small, run, tmp_path, monkeypatch
):
    read = []
    whole = loading.load_weights
    monkeypatch.setattr(
        loading, "load_weights", lambda folder, **options: read.append(folder) or whole(folder, **options)
    )
    other = {"model": "tiny-adapter", "loaded": asdict(tiny_adapter)}
    ask(run, conversation=1)
    ask(run, conversation=2, **other)
    ask(run, conversation=3, loaded={**asdict(tiny_adapter), "path": str(tmp_path)})
    ask(run, conversation=1, question=2)
    ask(run, conversation=2, question=2, **other)
    done = until_told_to_stop(tiny, run)
    assert done["questions"] == 5
    assert len(read) == 2, "the base model is read once, and again after what failed"
    (failed,) = (turn for turn in said(run, "turn") if turn["conversation"] == 3)
    assert "holds no adapter" in failed["patch_reason"]

    alone = RunDir.create(tmp_path / "alone", {}, Inputs())
    ask(alone, conversation=2)
    ask(alone, conversation=2, question=2)
    until_told_to_stop(tiny_adapter, alone)
    first = RunDir.create(tmp_path / "first", {}, Inputs())
    ask(first, conversation=1)
    ask(first, conversation=1, question=2)
    until_told_to_stop(tiny, first)
    for conversation, fresh in ((2, alone), (1, first)):
        swapped = [turn for turn in said(run, "turn") if turn["conversation"] == conversation]
        assert [turn["text"] for turn in swapped] == [turn["text"] for turn in said(fresh, "turn")]
    assert said(alone, "turn")[0]["text"] != said(first, "turn")[0]["text"]


def test_an_answer_that_is_stopped_keeps_what_was_written(tiny, small, run, monkeypatch):
    stream = Sampling.stream

    def slow(self, prompt):
        for number, piece in enumerate(stream(self, prompt)):
            if number == 2:
                run.ask(ask="halt", conversation=1, question=1)
            if number >= 2:
                time.sleep(0.15)  # longer than the time between two events
            yield piece
        return False

    monkeypatch.setattr(Sampling, "stream", slow)
    ask(run)
    ask(run, conversation=2, message="be brief")
    done = until_told_to_stop(tiny, run)
    stopped = [turn for turn in said(run, "turn") if turn["conversation"] == 1]
    assert [turn["patch_reason"] for turn in stopped] == ["stopped while it was being written"]
    assert stopped[0]["text"]
    assert stopped[0]["verdict"] is None
    assert len([turn for turn in said(run, "turn") if turn["conversation"] == 2]) == 4, "the other one is answered"
    assert [(each["conversation"], each["question"]) for each in said(run, "answered")] == [(1, 1), (2, 1)]
    assert done["questions"] == 2


def test_conversations_take_turns(tiny, small, run):
    for conversation in (1, 2, 3):
        ask(run, conversation=conversation, message="use addition")
    until_told_to_stop(tiny, run)
    order = [turn["conversation"] for turn in said(run, "turn")]
    assert order == [1, 2, 3] * 4, "a message, an answer, its tests and an answer of each"
    waits = [delta["doing"] for delta in said(run, "delta") if delta["doing"].startswith("waiting")]
    assert waits == [
        "waiting for the model",
        "waiting in turn with 1 other conversation",
        "waiting in turn with 2 other conversations",
    ]


def test_a_question_changes_how_it_is_answered_and_loads_nothing(tiny, small, run, monkeypatch):
    loads, load = [], Sampling.load
    monkeypatch.setattr(Sampling, "load", lambda self, *model: loads.append(model) or load(self, *model))
    drawn = []
    stream = Sampling.stream
    monkeypatch.setattr(
        Sampling, "stream", lambda self, prompt: drawn.append(self.params.temperature) or stream(self, prompt)
    )
    generator = {"name": "sampling", "max_new_tokens": 8, "temperature": 0.5}
    ask(run)
    ask(run, conversation=2, settings={"generator": generator, "strategy": {"name": "single_shot"}})
    until_told_to_stop(tiny, run)
    assert len(loads) == 1
    assert drawn.count(0.5) == 1
    assert drawn.count(1.5) >= 2
    assert len([turn for turn in said(run, "turn") if turn["conversation"] == 2]) == 1


def test_an_answer_from_the_start_begins_another_branch(tiny, small, run, branching, monkeypatch):
    ask(run, message="use addition")
    until_told_to_stop(tiny, run)
    (run.path / "inbox.jsonl").unlink()
    ask(run, question=2, message="be brief", after=0)
    until_told_to_stop(tiny, RunDir(run.path))
    assert branching.paths[-1] == [(4, 0, "be brief")]


def test_what_another_worker_said_is_read_from_its_file(tiny, small, run, branching):
    told = {"conversation": 7, "number": 1, "role": "user", "text": "use addition", "parent": 0}
    ask(run, question=3, history=run.tell_history(1, 3, [told]))
    ask(run, conversation=2, history="history-9-9.json")
    until_told_to_stop(tiny, run)
    assert branching.paths == [[(1, 0, "use addition")]]
    (failed,) = (turn for turn in said(run, "turn") if turn["conversation"] == 2)
    assert "what was said before cannot be read" in failed["patch_reason"]
