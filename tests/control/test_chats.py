"""Conversations: the questions to the worker, its answers, and that a conversation continues with a new worker."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from talks import BUG, FAILED, answer, folder_of, spec

from engine.benchmarks.pocket import Pocket
from engine.errors import UserError
from engine.rundir import ENDED, RunDir
from storage.tables import Conversation


def test_the_worker_gets_the_question(talk):
    conversation, folder = talk
    (question,), _ = folder.questions()
    assert (question["bug"], question["message"], question["budget"]) == (BUG, "look at midnight", 2)
    assert (question["conversation"], question["before"], "history" in question) == (conversation, 0, False)


def test_the_live_text_is_shown_only_while_an_answer_is_written(workspace, talk):
    conversation, folder = talk
    folder.append("delta", conversation=conversation, text="    ret", restart=True)
    folder.append("delta", conversation=conversation, text="urn", restart=False)
    folder.append("delta", conversation=99, text="of another conversation", restart=True)
    workspace.tick()
    view = workspace.chats.view(conversation)
    assert (view.live_text, view.is_busy) == ("    return", True)
    answer(folder, conversation, 1, "    return")
    folder.append("answered", conversation=conversation, question=1)
    workspace.tick()
    view = workspace.chats.view(conversation)
    assert (view.live_text, view.is_busy, view.outcome) == ("", False, "test_failed")
    assert view.turns[0].diff.startswith("--- a/")
    assert view.turns[0].log == FAILED["log"]


def test_while_the_model_answers_nothing_more_can_be_asked(workspace, talk):
    with pytest.raises(UserError, match="still answering"):
        workspace.chats.send(talk[0])


@pytest.mark.parametrize("budget", [0, 51])
def test_a_budget_out_of_range_is_named(workspace, talk, budget):
    with pytest.raises(UserError, match=rf"budget: should be 1 to 50 turns \(got {budget}\)"):
        workspace.chats.send(talk[0], budget=budget)


def test_a_conversation_continues_with_a_new_worker_that_gets_all_turns(workspace, talk, mute):
    conversation, folder = talk
    answer(folder, conversation, 1, "first try")
    folder.append("answered", conversation=conversation, question=1)
    folder.append("state", state="done", result={})
    workspace.tick()
    workspace.chats.send(conversation)
    workspace.tick()
    anew = folder_of(workspace, conversation)
    assert anew.path != folder.path
    (question,), _ = anew.questions()
    (told,) = anew.history(question["history"])
    assert (told["role"], told["text"], told["number"], told["parent"]) == ("assistant", "first try", 1, 0)
    assert told["verdict"] == {**FAILED, "reason": "", "isolation": "", "stages": {}}, (
        "all of it, as the first worker said it"
    )
    answer(anew, conversation, 2, "second try", {"outcome": "plausible"})
    anew.append("answered", conversation=conversation, question=question["question"])
    workspace.tick()
    view = workspace.chats.view(conversation)
    assert [turn.text for turn in view.turns] == ["first try", "second try"]
    assert (view.outcome, view.is_busy) == ("plausible", False)


def test_the_same_model_and_settings_are_loaded_once(workspace, talk):
    again = workspace.chats.start(spec())
    warmer = workspace.chats.start(spec("generator.temperature=0.3"))
    other = workspace.chats.start(spec("generator.base_bits=8"))
    runs = {row.id: row.run_id for row, _ in workspace.chats.list()}
    assert runs[again] == runs[warmer] == runs[talk[0]] != runs[other], "how an answer is drawn loads no second model"
    folder = folder_of(workspace, warmer)
    workspace.chats.send(warmer)
    assert folder.questions()[0][-1]["settings"]["generator"]["temperature"] == 0.3


def test_a_bug_that_is_not_there_is_refused_before_a_model_is_loaded(workspace):
    with pytest.raises(UserError, match="there is no bug 'pocket/none'"):
        workspace.chats.start(spec("bug=pocket/none"))
    assert workspace.runs.list() == []


def test_an_unknown_conversation_is_a_user_error(workspace):
    with pytest.raises(UserError, match="there is no conversation 7"):
        workspace.chats.view(7)


def test_a_long_answer_of_another_conversation_delays_no_one(workspace, talk):
    conversation, folder = talk
    other = workspace.chats.start(spec())
    workspace.chats.send(other)
    answer(folder, conversation, 1, "done")
    folder.append("answered", conversation=conversation, question=1)
    folder.append("delta", conversation=other, text="x" * 400_000, restart=True)
    workspace.tick()
    assert not workspace.chats.view(conversation).is_busy
    assert workspace.chats.view(other).is_busy


def test_a_second_message_right_after_the_answer_waits_for_its_turns(workspace, talk):
    conversation, folder = talk
    answer(folder, conversation, 1, "first")
    folder.append("answered", conversation=conversation, question=1)
    with pytest.raises(UserError, match="still answering"):  # the answer stands in the file and not yet in the tables
        workspace.chats.send(conversation)
    workspace.tick()
    workspace.chats.send(conversation, "and again")
    question = folder.questions()[0][-1]
    assert (question["question"], question["before"]) == (2, 1)
    assert "first" not in (folder.path / "inbox.jsonl").read_text(), "the worker knows what it said"


def test_a_chat_stopped_in_mid_answer_and_resumed_takes_in_the_same_turns_again(workspace, talk, mute):
    conversation, folder = talk
    answer(folder, conversation, 1, "first")
    workspace.tick()
    mute.alive = False
    workspace.tick()
    run_id = workspace.chats.get(conversation).run_id
    assert workspace.runs.row(run_id).state == "failed"
    view = workspace.chats.view(conversation)
    assert (view.is_busy, "killed" in view.error) == (False, True)
    mute.alive = True
    workspace.runs.resume(run_id)
    workspace.tick()
    answer(folder, conversation, 1, "first, again")
    folder.append("answered", conversation=conversation, question=1)
    workspace.tick()
    assert [turn.text for turn in workspace.chats.view(conversation).turns] == ["first, again"]
    assert workspace.runs.row(run_id).state != "failed"


def test_a_question_that_was_never_answered_does_not_block_the_next(workspace, talk, mute):
    conversation, folder = talk
    folder.append("state", state="done", result={})  # unloaded in the moment in which it was asked
    workspace.tick()
    assert "before it had answered" in workspace.chats.view(conversation).error
    workspace.chats.send(conversation, "once more")
    workspace.tick()
    anew = folder_of(workspace, conversation)
    question = anew.questions()[0][0]
    anew.append("answered", conversation=conversation, question=question["question"])
    workspace.tick()
    view = workspace.chats.view(conversation)
    assert (view.is_busy, view.error) == (False, "")


def test_of_two_messages_to_an_unloaded_model_one_is_accepted(workspace, talk, monkeypatch):
    """Both find the model gone and have it loaded again, before either has asked."""
    conversation, folder = talk
    folder.append("answered", conversation=conversation, question=1)
    folder.append("state", state="done", result={})
    workspace.tick()
    both, submit = threading.Barrier(2, timeout=30), workspace.runs.submit

    def together(wanted):
        both.wait()
        return submit(wanted)

    monkeypatch.setattr(workspace.runs, "submit", together)

    def ask(number):
        try:
            workspace.chats.send(conversation, f"message {number}")
        except UserError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(ask, range(2)))
    assert answers[0] == ""
    assert "another message" in answers[1]
    assert workspace.chats.get(conversation).asked == 2
    workers = workspace.runs.list(kind="chat")
    used = workspace.chats.get(conversation).run_id
    assert {run.id: run.state for run in workers if run.state not in ENDED} == {used: "queued"}
    asked = [question for run in workers for question in RunDir(Path(run.folder)).questions()[0]]
    assert len(asked) == 2, "the first one, and one of the two"


def test_of_many_messages_sent_at_once_one_is_accepted(workspace, talk):
    conversation, folder = talk
    folder.append("answered", conversation=conversation, question=1)
    workspace.tick()

    def ask(number):
        try:
            workspace.chats.send(conversation, f"message {number}")
        except UserError:
            return 0
        return 1

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(ask, range(50))) == 1
    assert [question["question"] for question in folder.questions()[0]] == [1, 2]


@pytest.mark.parametrize(
    ("benchmark", "said"),
    [
        ("nothing", "no benchmarks plug-in called 'nothing'"),
        ({"name": "pocket", "timeout_s": "soon"}, "timeout_s: should be a number"),
        ({"name": "quixbugs"}, "git clone"),
        (7, "expected a plug-in"),
    ],
)
def test_a_benchmark_that_cannot_be_read_is_a_user_error(workspace, benchmark, said):
    for ask in (workspace.chats.bug_entries, lambda asked: workspace.chats.bug(BUG, asked)):
        with pytest.raises(UserError, match=said):
            ask(benchmark)


def test_the_last_shell_to_leave_unloads_the_model(workspace, talk, mute):
    first, folder = talk
    second, rests = workspace.chats.start(spec()), workspace.chats.start(spec())
    assert not workspace.chats.leave(first)
    assert not workspace.chats.leave(second), "a page shows the third one"
    assert not workspace.chats.leave(first)
    workspace.chats.send(rests)
    assert workspace.chats.leave(rests)
    assert workspace.chats.view(rests).state == "stopping"


def test_a_conversation_that_goes_on_keeps_its_model_again(workspace, talk, mute):
    first, folder = talk
    second = workspace.chats.start(spec())
    folder.append("answered", conversation=first, question=1)
    workspace.tick()
    workspace.chats.leave(first)
    workspace.chats.send(first)
    assert not workspace.chats.leave(second)


def test_a_message_is_seen_at_once_though_the_model_is_still_loading(workspace, talk):
    conversation, folder = talk
    assert workspace.chats.view(conversation).waiting == "look at midnight"
    folder.append("turn", conversation=conversation, number=1, role="user", text="look at midnight")
    workspace.tick()
    view = workspace.chats.view(conversation)
    assert (view.waiting, [turn.text for turn in view.turns]) == ("", ["look at midnight"])


@pytest.mark.parametrize("benchmark", [{"name": "quixbugs", "folder": "/nowhere"}, {"name": "gone"}])
def test_a_conversation_can_be_read_when_its_benchmark_is_gone(workspace, talk, benchmark):
    conversation, folder = talk
    answer(folder, conversation, 1, "    return")
    workspace.tick()
    with workspace._database.write() as session:
        session.get_one(Conversation, conversation).benchmark = benchmark
    view = workspace.chats.view(conversation)
    assert ([turn.text for turn in view.turns], view.buggy) == (["    return"], "")


def test_a_conversation_that_is_drawn_again_and_again_reads_its_benchmark_once(workspace, talk, monkeypatch):
    reads, plain = [], Pocket.bugs
    monkeypatch.setattr(Pocket, "bugs", lambda self: (reads.append(1), plain(self))[1])
    for _ in range(3):
        assert workspace.chats.view(talk[0]).buggy
        assert workspace.chats.bug_entries()
    assert len(reads) <= 1
