"""Inputs and outputs, as those of Methods2Test."""

from __future__ import annotations

from small_tables import jsonl, lost, read

from engine.domain import Message

ROW = {"target": "@Test void t() {}", "src_fm": "void f() {}", "src_fm_fc": "class C { void f() {} }"}


def test_methods_and_their_tests_need_no_mapping(tmp_path):
    ((sample,), _) = read("texts", jsonl(tmp_path / "m2t.jsonl", [ROW]), language="java")
    assert (sample.prompt, sample.target, sample.language) == (ROW["src_fm"], ROW["target"], "java")
    ((wider,), _) = read("texts", tmp_path / "m2t.jsonl", input="src_fm_fc", form="chat")
    assert wider.prompt == (Message("user", ROW["src_fm_fc"]),)
    assert wider.segments[-1].role == "assistant"


def test_what_is_no_pair_of_texts_is_counted_with_its_reason(tmp_path):
    rows = [{"target": None}, {"src_fm": " "}, {"src_fm": {"a": 1}}, {"target": 3}, {"target": "\ud800"}]
    assert lost("texts", tmp_path, *({**ROW, **row} for row in rows)) == [
        "empty", "empty", "a cell is not text", "a cell is not text", "not valid Unicode",
    ]  # fmt: skip
