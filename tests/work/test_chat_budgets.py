"""A chat worker keeps to the budget of a question, also across a restart, and continues a tree of turns."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict

import pytest

from engine.domain import Model
from engine.errors import ServiceFailure
from engine.generators.endpoint import Endpoint
from engine.plugins import GENERATORS
from engine.rundir import Inputs, RunDir
from engine.specs import ChatSpec
from engine.work.chat import chat

GENERATOR = {"name": "sampling", "max_new_tokens": 8, "temperature": 1.5}
SPEC = {"representation": {"name": "ir4_or2", "context": "file"}, "generator": GENERATOR}
SERVICE = Inputs(model=Model("gpt", "endpoint", ""))


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run", {}, Inputs())


def said(run, kind):
    return [asdict(event.payload) for event in run.events().events if event.kind == kind]


def ask(run, budget=9, **more):
    run.ask(ask="reply", conversation=1, question=1, bug="small/add", budget=budget, turns=[], **more)
    run.ask(ask="stop")


def cut(run, keep):
    """As if the worker had been killed after so many turns; the events that it wrote since are gone."""
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    ends = [at for at, line in enumerate(lines) if b'"event": "turn"' in line]
    run.events_path.write_bytes(b"".join(lines[: ends[keep - 1] + 1]))


@pytest.fixture
def service(monkeypatch):
    """A service that explains, then answers a question for code with another wrong patch each time."""
    sent = []

    class Answers(Endpoint):
        def load(self, model, seed):
            pass

        def stream(self, prompt):
            sent.append(prompt)
            self._usage = 700, 300
            explains = "Explain what is wrong" in prompt[-1].text
            yield "It subtracts." if explains else f"```\ndef add(a, b):\n    return a * {len(sent)}\n```"
            return True

    monkeypatch.setattr("engine.plugins.GENERATORS.create", Answers)
    return sent


def talk(**settings):
    return ChatSpec(**{**SPEC, **settings})


def talk_to_service(generator=(), **settings):
    return talk(representation="instruct", generator={"name": "endpoint", **dict(generator)}, **settings)


def test_tokens_of_the_prompt_and_the_answer_end_it_and_people_are_told(tiny, small, run):
    ask(run)
    chat(talk(budget_tokens=100), Inputs(model=tiny), run)
    turns, spent = said(run, "turn"), said(run, "spent")
    assert turns[-1]["role"] == "tool"
    assert turns[-1]["text"].startswith("The budget of 100 tokens is spent: ")
    total = spent[-1]["tokens_read"] + spent[-1]["tokens_written"]
    assert total >= 100
    before = spent[-2]["tokens_read"] + spent[-2]["tokens_written"] if len(spent) > 1 else 0
    assert before < 100, "no completion is begun at the limit"
    assert f"{spent[-1]['tokens_read']:,} read and {spent[-1]['tokens_written']:,} written" in turns[-1]["text"]


def test_a_question_has_its_own_limits(tiny, small, run):
    ask(run, settings={"budget_seconds": 1e-6})
    chat(talk(), Inputs(model=tiny), run)
    assert [turn["role"] for turn in said(run, "turn")] == ["tool"]
    assert said(run, "turn")[0]["text"].startswith("The budget of 1e-06 seconds")


def test_what_was_spent_before_the_worker_was_killed_counts(tiny, small, run):
    ask(run)
    spec = talk(budget_tokens=300)
    chat(spec, Inputs(model=tiny), run)
    cut(run, 1)
    before = said(run, "spent")[-1]
    chat(spec, Inputs(model=tiny), RunDir(run.path))
    after = said(run, "spent")
    assert all(each["tokens_read"] > before["tokens_read"] for each in after[after.index(before) + 1 :])
    assert sum(after[-2][name] for name in ("tokens_read", "tokens_written")) < 300
    assert said(run, "turn")[-1]["text"].startswith("The budget of 300 tokens")


def test_money_is_what_the_service_counts_at_its_prices(service, small, run):
    ask(run)
    prices = {"prompt_price": 1.0, "written_price": 10.0, "currency": "EUR"}
    chat(talk_to_service(prices, budget_money=0.01), SERVICE, run)
    assert len(service) == 3, "each costs 0.0037"
    assert said(run, "turn")[-1]["text"].startswith("The budget of 0.01 EUR is spent: 0.0111 were used.")


def test_a_service_that_fails_for_one_conversation_answers_the_others(service, small, run, monkeypatch):
    endpoint = GENERATORS.create  # the fixture's
    stream = endpoint.stream

    def failing(self, prompt):
        if len(service) == 1:
            service.append(prompt)
            raise ServiceFailure("the service at http://x failed: 503")
        return (yield from stream(self, prompt))

    monkeypatch.setattr(endpoint, "stream", failing)
    for conversation in (1, 2, 3):
        run.ask(ask="reply", conversation=conversation, question=1, bug="small/add", budget=1, turns=[])
    run.ask(ask="stop")
    done = chat(talk_to_service(), SERVICE, run)
    assert done["questions"] == 3
    assert [turn["conversation"] for turn in said(run, "turn")] == [1, 2, 3]
    failed = [turn["patch_reason"] for turn in said(run, "turn") if turn["verdict"] is None]
    assert failed == ["the service at http://x failed: 503"]


def test_what_a_service_wrote_before_it_failed_is_kept(service, small, run, monkeypatch):
    def failing(self, prompt):
        yield "def add(a"
        raise ServiceFailure("the service at http://x failed: 503")

    monkeypatch.setattr(GENERATORS.create, "stream", failing)
    ask(run)
    chat(talk_to_service(), SERVICE, run)
    (turn,) = said(run, "turn")
    assert (turn["text"], turn["patch_reason"]) == ("def add(a", "the service at http://x failed: 503")


def test_an_answer_of_a_service_that_sends_nothing_can_be_stopped(service, small, run, monkeypatch):
    goes_on = threading.Event()
    endpoint = GENERATORS.create
    stream = endpoint.stream

    def stalled(self, prompt):
        if service:
            return (yield from stream(self, prompt))
        service.append(prompt)
        yield "def add(a"
        run.ask(ask="halt", conversation=1, question=1)
        goes_on.wait(60)
        return True

    monkeypatch.setattr(endpoint, "stream", stalled)
    for conversation in (1, 2):
        run.ask(ask="reply", conversation=conversation, question=1, bug="small/add", budget=1, turns=[])
    run.ask(ask="stop")
    began = time.monotonic()
    chat(talk_to_service(), SERVICE, run)
    goes_on.set()
    assert time.monotonic() - began < 30
    first, second = said(run, "turn")
    assert (first["text"], first["patch_reason"]) == ("def add(a", "stopped while it was being written")
    assert second["conversation"] == 2


def test_a_budget_in_money_needs_prices(service, small, run):
    ask(run)
    chat(talk_to_service(budget_money=0.01), SERVICE, run)
    (turn,) = said(run, "turn")
    assert turn["patch_reason"].startswith("budget_money: a budget of 0.01 needs to know what the service costs")
    assert not service


@pytest.mark.parametrize("keep", [2, 3, 4])
def test_an_explanation_is_kept_and_not_asked_for_again(service, small, run, keep):
    ask(run, budget=2)
    spec = talk_to_service(strategy="two_stage")
    chat(spec, SERVICE, run)
    whole = said(run, "turn")
    assert [turn["role"] for turn in whole] == ["tool", "assistant", "assistant", "tool", "assistant"]
    assert (whole[1]["text"], whole[1]["patch"], whole[1]["verdict"]) == ("It subtracts.", None, None)
    assert "root cause: It subtracts." in whole[4]["prompt"]
    cut(run, keep)
    chat(spec, SERVICE, RunDir(run.path))
    again = said(run, "turn")
    assert [turn["role"] for turn in again] == [turn["role"] for turn in whole]
    assert again[1] == whole[1]
    assert "root cause: It subtracts." in again[4]["prompt"]


@pytest.mark.parametrize("keep", range(1, 8))
def test_conversations_in_parallel_go_on_after_a_kill(service, small, run, keep):
    ask(run, budget=5, message="mind the sign")
    spec = talk_to_service(strategy={"name": "parallel", "conversations": 2})
    chat(spec, SERVICE, run)
    whole = [(turn["number"], turn["parent"], turn["role"]) for turn in said(run, "turn")]
    assert whole == [
        (1, None, "user"), (2, 1, "assistant"), (3, 1, "assistant"),
        (4, 2, "tool"), (5, 4, "assistant"), (6, 3, "tool"), (7, 6, "assistant"),
        (8, 5, "tool"), (9, 8, "assistant"),
    ]  # fmt: skip
    cut(run, keep)
    chat(spec, SERVICE, RunDir(run.path))
    assert [(turn["number"], turn["parent"], turn["role"]) for turn in said(run, "turn")] == whole


def test_one_attempt_stays_one_after_a_kill(service, small, run):
    ask(run, budget=5)
    spec = talk_to_service(strategy="single_shot")
    chat(spec, SERVICE, run)
    cut(run, 1)
    chat(spec, SERVICE, RunDir(run.path))
    assert len(said(run, "turn")) == 1
