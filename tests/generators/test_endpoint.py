"""An endpoint against a real process that serves a model with OpenAI's HTTP API."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest

from engine.assets import STARTER_MODEL
from engine.domain import Message, Model
from engine.errors import OutsideFailure, UserError
from engine.generators import TOO_LONG, PromptTooLong, shares
from engine.generators.contract import check
from engine.generators.endpoint import Endpoint

SERVED = Path(__file__).with_name("served_model.py")
MODEL = Model("served", "endpoint", "")
CHAT = (Message("system", "You repair code."), Message("user", "def add(a, b): return a"))


@pytest.fixture(scope="module")
def serve():
    """Start a service with some options; returns its address."""
    started = []

    def start(*options, folder=STARTER_MODEL):
        command = [sys.executable, str(SERVED), str(folder), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
        started.append(process)
        return f"http://127.0.0.1:{int(process.stdout.readline())}/v1"

    yield start
    for process in started:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def url(serve):
    return serve()


def endpoint(url, **settings):
    made = Endpoint(Endpoint.Params(url=url, max_new_tokens=8, **settings))
    made.load(MODEL, 0)
    return made


def test_the_contract_holds(url):
    check(Endpoint, Endpoint.Params(url=url, max_new_tokens=8), MODEL)


def test_messages_go_to_the_chat_address(url):
    (index, completions), *_ = endpoint(url).generate([CHAT], 2)
    assert index == 0
    assert len({one.text for one in completions}) == 2  # drawn at random, each by itself
    assert all(one.n_tokens > 0 for one in completions)


def test_the_tokens_of_a_request_are_divided_among_its_completions(url, serve):
    prompt = "def gcd(a, b):"
    [(_, together)] = endpoint(url).generate([prompt], 3)
    [(_, apart)] = endpoint(serve("--at-most", "1")).generate([prompt], 3)
    length = apart[0].prompt_tokens
    assert length > 3
    assert [one.prompt_tokens for one in apart] == [length] * 3, "each request reads the whole prompt"
    assert sum(one.prompt_tokens for one in together) == length, "one request reads it once"
    assert max(one.n_tokens for one in together) - min(one.n_tokens for one in together) <= 1
    assert all(1 <= one.n_tokens <= 8 for one in apart)


def test_shares_sum_up():
    assert shares(7, 3) == [3, 2, 2]
    assert shares(2, 3) == [1, 1, 0]
    assert shares(None, 2) == [None, None]


@pytest.mark.parametrize("count", [-3, 10**30, 1.5, "7", True, [1]])
def test_a_count_that_cannot_be_is_not_known(count):
    assert shares(count, 2) == [None, None]


def test_a_service_that_gives_one_answer_at_a_time_is_asked_again(serve):
    [(_, completions)] = endpoint(serve("--at-most", "1")).generate(["def gcd(a, b):"], 3)
    assert len({one.text for one in completions}) == 3


def test_a_prompt_that_is_too_long_is_told_apart(url):
    drawn = dict(endpoint(url).generate(["x = 1\n" * 5000, "x"], 1))
    assert drawn[0] == TOO_LONG
    assert len(drawn[1]) == 1
    with pytest.raises(PromptTooLong):
        list(endpoint(url).stream("x = 1\n" * 5000))


@pytest.mark.parametrize("prompt", ["def add(a, b):", CHAT])
def test_an_answer_is_streamed_and_another_one_when_asked_again(url, prompt):
    asked = endpoint(url)
    first, second = ("".join(asked.stream(prompt)) for _ in range(2))
    assert first != second
    assert first


def test_a_rate_limit_is_waited_out_and_one_that_never_ends_fails_the_run(serve):
    refusing = serve("--refuse", "3")
    [(_, completions)] = endpoint(refusing, retries=3).generate(["x"], 1)
    assert len(completions) == 1
    always = endpoint(serve("--refuse", "1000"), retries=1)
    with pytest.raises(OutsideFailure, match="resume the run to go on"):
        list(always.generate(["x"], 1))


@pytest.mark.parametrize("kind", ["application/json", "text/html"])
@pytest.mark.parametrize("prompt", ["x", CHAT])
def test_an_answer_that_is_no_json_is_the_services_fault(serve, kind, prompt):
    asked = endpoint(serve("--text", kind))
    with pytest.raises(OutsideFailure, match=r"http://.* answered with no JSON; is generator.url the address"):
        list(asked.generate([prompt], 1))


def test_what_others_have_asked_for_when_a_request_fails_comes_before_the_failure(url, monkeypatch):
    asked, whole = endpoint(url, parallel=2), Endpoint._completions
    is_asked, has_failed = Event(), Event()

    def completions(self, prompt, n):
        if prompt == "fails":
            assert is_asked.wait(20)
            has_failed.set()
            raise OutsideFailure("429")
        is_asked.set()
        assert has_failed.wait(20)
        time.sleep(0.2)
        return whole(self, prompt, n)

    monkeypatch.setattr(Endpoint, "_completions", completions)
    drawn = asked.generate(["fails", "paid", *["never"] * 20], 1)
    met = []
    with pytest.raises(OutsideFailure, match="429"):
        met.extend(index for index, _ in drawn)
    assert 1 in met
    assert len(met) < 5, "nothing more is asked for"


def test_the_key_comes_from_the_environment_and_is_never_shown(serve, monkeypatch):
    guarded = serve("--key", "s3cret")
    with pytest.raises(UserError, match="variable MY_KEY is not set"):
        endpoint(guarded, key_variable="MY_KEY")
    monkeypatch.setenv("MY_KEY", "s3cret")
    assert dict(endpoint(guarded, key_variable="MY_KEY").generate(["x"], 1))[0]
    monkeypatch.setenv("MY_KEY", "wr0ng")
    with pytest.raises(UserError, match="refuses the key .MY_KEY") as caught:
        list(endpoint(guarded, key_variable="MY_KEY").generate(["x"], 1))
    assert "wr0ng" not in str(caught.value)


def test_what_is_wrong_with_an_endpoint_is_said_before_the_run(url):
    with pytest.raises(UserError, match="has no model 'other'; it has: served"):
        Endpoint(Endpoint.Params(url=url)).load(Model("other", "endpoint", ""), 0)
    with pytest.raises(OutsideFailure, match="cannot be reached; start it or correct generator.url"):
        endpoint("http://127.0.0.1:1/v1", retries=0)
    with pytest.raises(UserError, match="does not have this address"):
        list(endpoint(url.replace("/v1", "/v2")).generate(["x"], 1))
