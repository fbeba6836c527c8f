"""An endpoint against a real process that serves a model with OpenAI's HTTP API."""

from __future__ import annotations

import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from services import MODEL, endpoint

from engine.domain import Message, Model
from engine.errors import OutsideFailure, UserError
from engine.generators import TOO_LONG, PromptTooLong, shares
from engine.generators.contract import check
from engine.generators.endpoint import Endpoint
from engine.spec_files import read_spec

CHAT = (Message("system", "You repair code."), Message("user", "def add(a, b): return a"))


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
    with pytest.raises(OutsideFailure, match="failed: "):
        list(always.generate(["x"], 1))


def test_no_more_requests_are_sent_in_a_minute_than_asked_for(serve):
    slow, began = endpoint(serve("--at-most", "1"), per_minute=300, parallel=4), time.monotonic()
    drawn = dict(slow.generate(["a = 1", "b = 2"], 3))
    assert [len(drawn[index]) for index in (0, 1)] == [3, 3]
    assert time.monotonic() - began >= 5 * 0.2, "of six requests the first one waits for nothing"


def test_requests_that_wait_for_their_turn_do_not_hold_up_an_end(url):
    slow, began = endpoint(url, per_minute=1, parallel=4), time.monotonic()
    drawn = slow.generate(["a = 1", "b = 2", "c = 3"], 1)
    next(drawn)
    drawn.close()
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("kind", ["application/json", "text/html"])
@pytest.mark.parametrize("prompt", ["x", CHAT])
def test_an_answer_that_is_no_json_is_the_services_fault(serve, kind, prompt):
    asked = endpoint(serve("--text", kind))
    with pytest.raises(
        OutsideFailure, match=r"http://.* answered otherwise than .*: it is no JSON; see whether generator.url"
    ):
        list(asked.generate([prompt], 1))


def test_what_others_have_asked_for_when_a_request_fails_comes_before_the_failure(url, monkeypatch):
    asked, whole = endpoint(url, parallel=2), Endpoint._completions
    is_asked, has_failed = Event(), Event()

    def completions(self, prompt, n, draw, given_up):
        if prompt == "fails":
            assert is_asked.wait(20)
            has_failed.set()
            raise OutsideFailure("429")
        is_asked.set()
        assert has_failed.wait(20)
        time.sleep(0.2)
        return whole(self, prompt, n, draw, given_up)

    monkeypatch.setattr(Endpoint, "_completions", completions)
    drawn = asked.generate(["fails", "paid", *["never"] * 20], 1)
    met = []
    with pytest.raises(OutsideFailure, match="429"):
        met.extend(index for index, _ in drawn)
    assert 1 in met
    assert len(met) < 5, "nothing more is asked for"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("generator.url=ftp://x", "generator.url: should begin with http:// or https:// .got 'ftp://x'.$"),
        ("generator.url=http://[::1", r"generator.url: should be an address such as http://127.0.0.1:8000/v1"),
        ("generator.url=http://", "generator.url: should be an address such as"),
        ("generator.url=http://a:99999/v1", "generator.url: should be an address such as"),
        ("generator.url=http://a\n/v1", "generator.url: should be an address such as"),
        ("generator.key_variable=sk-1", "generator.key_variable: should be the name of an environment variable"),
        ("generator.wait=3", "generator.wait: there is no such setting among url, key_variable, .*timeout_s"),
    ],
)
def test_a_wrong_setting_is_explained(setting, said):
    with pytest.raises(UserError, match=said) as caught:
        read_spec("benchmark", "", ["generator=endpoint", setting])
    assert "sk-1" not in str(caught.value)


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


@pytest.fixture
def answering():
    """Start a service that sends these pieces, with a pause before each, to whatever it is asked; its address."""
    servers = []

    def start(*pieces, pause_s=0.0, status=200):
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                """Nothing on standard error."""

            def do_GET(self):
                self.send_error(404)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                with suppress(OSError):  # the other end may have gone
                    for piece in pieces:
                        time.sleep(pause_s)
                        self.wfile.write(piece.encode() if isinstance(piece, str) else piece)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/v1"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


TEXT = '{"choices": [{"index": 0, "text": "a + b", "finish_reason": "stop"}], "usage": %s}'


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ('{"completion_tokens": 3, "prompt_tokens": 5}', (3, 5)),
        ('{"completion_tokens": 1%s, "prompt_tokens": -3}' % ("0" * 30), (None, None)),
        ('{"completion_tokens": "7", "prompt_tokens": 1.5}', (None, None)),
        ("7", (None, None)),
        ("null", (None, None)),
    ],
)
def test_counts_that_cannot_be_are_not_known_and_the_answer_is_kept(answering, usage, tokens):
    [(_, [one])] = endpoint(answering(TEXT % usage)).generate(["x"], 1)
    assert (one.text, one.n_tokens, one.prompt_tokens) == ("a + b", *tokens)


@pytest.mark.parametrize(
    "body",
    ['{"choices": "no"}', '{"choices": [7]}', '{"choices": [{"text": 7}]}', '{"choices": {"0": 1}}', "[]", "null", '"x"',
     "{}", "[" * 100_000, '{"choices": [{"text": "a", "finish_reason": 5}]}'],
)  # fmt: skip
@pytest.mark.parametrize("prompt", ["x", CHAT])
def test_an_answer_of_another_form_is_the_services_fault(answering, body, prompt):
    with pytest.raises(OutsideFailure, match="the service at http"):
        list(endpoint(answering(body), retries=0).generate([prompt], 1))


def test_messages_without_content_are_empty_answers(answering):
    body = '{"choices": [{"message": {"content": null}}, {"message": null}]}'
    [(_, found)] = endpoint(answering(body)).generate([CHAT], 2)
    assert [one.text for one in found] == ["", ""]


def test_half_a_character_is_a_question_mark(answering):
    body = '{"choices": [{"message": {"content": "a\\ud800b"}, "finish_reason": "stop"}]}'
    [(_, [one])] = endpoint(answering(body)).generate([CHAT], 1)
    assert one.text == "a?b"


@pytest.mark.parametrize("sent", ["<p>busy</p>", "", "data: [DONE]\n\n"])
def test_a_stream_of_nothing_is_the_services_fault(answering, sent):
    with pytest.raises(OutsideFailure, match="answered otherwise than OpenAI's API does"):
        list(endpoint(answering(sent), retries=0).stream(CHAT))


def test_an_answer_that_never_ends_is_ended(answering):
    began = time.monotonic()
    dripping = answering(*[" "] * 100, pause_s=0.2)
    with pytest.raises(OutsideFailure, match="did not answer within 1 s"):
        list(endpoint(dripping, retries=0, timeout_s=1).generate(["x"], 1))
    assert time.monotonic() - began < 5


def test_an_answer_of_any_size_is_cut(answering):
    huge = answering(*[b" " * (1 << 20)] * 64)
    with pytest.raises(OutsideFailure, match="sent far more than was asked for"):
        list(endpoint(huge, retries=0).generate(["x"], 1))


def test_a_key_that_a_service_repeats_is_not_shown(answering, monkeypatch):
    monkeypatch.setenv("OUR_KEY", "sk-canary-0123456789")
    told = '{"error": {"message": "bad key Bearer sk-canary-0123456789"}}'
    with pytest.raises(UserError) as refused:
        list(endpoint(answering(told, status=400), retries=0, key_variable="OUR_KEY").generate(["x"], 1))
    assert "bad key Bearer (the key)" in str(refused.value)
    assert "canary" not in str(refused.value)
    written = TEXT.replace("a + b", "sk-canary-0123456789") % "null"
    [(_, [one])] = endpoint(answering(written), key_variable="OUR_KEY").generate(["x"], 1)
    assert one.text == "(the key)"
