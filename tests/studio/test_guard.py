"""Values from a browser are checked, and internal errors are logged once."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import gradio as gr
import pytest

from engine.errors import UserError
from studio import guard, sessions
from studio.checked import LARGEST, LONGEST, WellFormed, chosen_number, cleaned, is_text, number_of
from studio.guard import RepeatFilter, guarded, on
from studio.sessions import Sessions


@pytest.fixture(scope="module")
def parts():
    with gr.Blocks():
        return {
            "text": gr.Textbox(label="Name"),
            "number": gr.Number(precision=0, label="Number"),
            "yes": gr.Checkbox(label="Yes"),
            "one": gr.Dropdown(["a"], label="One"),
            "many": gr.Dropdown(["a"], multiselect=True, label="Many"),
        }


@pytest.mark.parametrize(
    ("part", "value", "taken"),
    [("text", "a\n💥", "a\n💥"), ("text", None, ""), ("number", 3, 3), ("number", 3.0, 3), ("number", None, 0),
     ("number", -LARGEST, -LARGEST), ("yes", True, True), ("yes", None, False), ("one", "x", "x"), ("one", 4, 4),
     ("one", None, None), ("many", ["a", 1], ["a", 1]), ("many", None, [])],
)  # fmt: skip
def test_what_a_page_sends_is_taken(parts, part, value, taken):
    assert cleaned(parts[part], value) == taken


@pytest.mark.parametrize(
    ("part", "value"),
    [("text", 1), ("text", ["a"]), ("text", {}), ("text", "\ud800"), ("text", "a\0"), ("text", "x" * (LONGEST + 1)),
     ("number", "3"), ("number", True), ("number", 0.5), ("number", float("nan")), ("number", float("inf")),
     ("number", LARGEST + 1), ("number", [1]), ("yes", 1), ("yes", "true"), ("one", ["a"]), ("one", {}), ("one", 1e99),
     ("one", "\udfff"), ("many", "a"), ("many", [["a"]]), ("many", [None])],
)  # fmt: skip
def test_anything_else_is_refused_by_the_label_of_its_field(parts, part, value):
    with pytest.raises(UserError, match=f"^{parts[part].label}: should be .*; reload the page$"):
        cleaned(parts[part], value)


def test_numbers_in_links_and_lists():
    assert [number_of(text) for text in ("7", "", "-1", "7x", "9" * 400)] == [7, 0, 0, 0, 0]
    assert [chosen_number(value) for value in (7, None, "7")] == [7, 0, 0]
    assert not is_text(7)


@pytest.fixture
def page():
    with gr.Blocks() as blocks:
        name = gr.Textbox()
        on(name.change, lambda text: text, name, name, name="test_same")
        gr.on(name.submit, None, name, name, js="(text) => text")
    return blocks


CALL = {"fn_index": 0, "data": ["a"], "session_hash": "abc", "event_data": None, "trigger_id": 1}


def test_a_call_as_the_page_makes_it_is_let_through(page):
    assert WellFormed(None, page).problem("/gradio_api/queue/join", json.dumps(CALL).encode()) == ""


@pytest.mark.parametrize(
    "wrong",
    [{"fn_index": 9}, {"fn_index": True}, {"fn_index": "0"}, {"fn_index": 1}, {"data": []}, {"data": ["a", "b"]}, {"data": "a"},
     {"data": [{"path": "/etc/passwd"}]}, {"data": [[["a"]]]}, {"session_hash": ""}, {"session_hash": "\ud800"},
     {"session_hash": None}, {"event_data": {"path": "/etc/passwd"}}, {"event_data": {"a": {}}}, {"trigger_id": "1"},
     {"batched": True}, {"simple_format": True}, {"event_id": "x"}],
    ids=str,
)  # fmt: skip
def test_a_call_that_gradio_would_stumble_over_is_refused(page, wrong):
    assert WellFormed(None, page).problem("/gradio_api/queue/join", json.dumps({**CALL, **wrong}).encode())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b"\xff", b"[" * 100_000, b"{}", b'{"fn_index": ' + b"9" * 9999 + b"}"]
)
def test_what_is_no_call_is_refused(page, body):
    assert WellFormed(None, page).problem("/gradio_api/run/predict", body)


def test_the_same_error_is_logged_once_a_minute_with_its_count(caplog, monkeypatch):
    def handler(number):
        return 1 // number

    def call(times):
        for _ in range(times):
            with pytest.raises(gr.Error, match="An internal error"):
                guarded(handler)(0)

    monkeypatch.setattr(guard.log, "filters", [RepeatFilter()])
    now = [1000.0]
    monkeypatch.setattr(guard.time, "monotonic", lambda: now[0])
    with caplog.at_level(logging.ERROR, "studio"):
        call(5)
        assert len(caplog.records) == 1
        assert "ZeroDivisionError" in caplog.text
        now[0] += guard.QUIET_S + 1
        call(1)
    assert len(caplog.records) == 2
    assert "4 times since" in caplog.records[1].getMessage()


def test_a_session_is_small_and_removed_when_unused(page, monkeypatch):
    kept = Sessions()
    kept.set_blocks(page)
    assert kept["a"] is kept["a"]
    assert kept["a"].config_values == {}
    assert kept["a"].blocks_config.fns.keys() == page.fns.keys()
    kept.delete_all_expired_state()
    assert "a" in kept
    monkeypatch.setattr(sessions, "UNUSED", timedelta(seconds=-1))
    kept.delete_all_expired_state()
    assert "a" not in kept
    assert kept.time_last_used == {}
