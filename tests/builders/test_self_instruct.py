"""A service makes up tasks after seed tasks; those that are like earlier ones are left out."""

from __future__ import annotations

import json
import os
import time

import pytest
from test_code_instructions import asked, service  # noqa: F401

from engine.builders import Funnel
from engine.builders.contract import check
from engine.builders.self_instruct import SelfInstruct, rouge_l
from engine.errors import UserError

SEEDS = [
    {"instruction": "Reverse a list", "input": "[1, 2]", "output": "[2, 1]"},
    {"instruction": "Name a colour", "instances": [{"input": "", "output": "Red"}]},
]
ANSWER = """###
3. Instruction: Write function number {n} that sorts words by their length
3. Input:
<noinput>
3. Output:
def by_length(words):
    return sorted(words, key=len)
###
4. Instruction: Name a colour
4. Input:
none
4. Output:
Blue
###
5. Instruction: Explain recursion number {n} to a child who can count
5. Input:
a child of six
5. Output:
"""


@pytest.fixture
def settings(service, tmp_path):  # noqa: F811
    (service / "answer.txt").write_text(ANSWER)
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("".join(json.dumps(each) + "\n" for each in SEEDS) + "broken\n[]\n")
    url = f"http://127.0.0.1:{(service / 'port').read_text()}/v1"
    return {"url": url, "writer": "writer", "seeds": str(seeds), "samples": 1, "parallel": 1}


def built(settings):
    funnel = Funnel()
    return list(SelfInstruct(SelfInstruct.Params(**settings)).stream(0, funnel)), funnel


def test_new_tasks_become_samples(settings, service):  # noqa: F811
    (sample,), funnel = built(settings)
    assert sample.bug_id == "request 1, task 1"
    assert "sorts words by their length\n\n### Response:" in sample.prompt, "<noinput>: there is none"
    assert sample.target == "def by_length(words):\n    return sorted(words, key=len)"
    assert "its instruction is like an earlier one" not in funnel.lost, "more than one is not looked at"
    text = asked(service)[0]
    assert "Here are 2 tasks for a programmer" in text
    assert "Write 5\nmore" in text
    assert "Reverse a list\n1. Input:\n[1, 2]" in text or "Reverse a list\n2. Input:\n[1, 2]" in text


def test_tasks_like_earlier_ones_are_left_out_and_a_service_without_ideas_is_not_asked_for_ever(settings, service):  # noqa: F811
    samples, funnel = built(settings | {"samples": 50})
    assert len(samples) == 1, "the others differ by a number alone"
    assert funnel.lost["its instruction is like an earlier one"] > 4
    assert funnel.lost["the service wrote no instruction or no output"] >= 4
    assert len(asked(service)) <= 16, "three rounds of four without a new task, after one with; none is asked twice"
    assert funnel.source == len(samples) + sum(funnel.lost.values())


def test_the_last_task_of_an_answer_that_was_cut_off_is_not_taken(settings, service):  # noqa: F811
    (service / "answer.txt").write_text("###\n3. Instruction: Add\n3. Input:\n<noinput>\n3. Output:\ndef ad")
    (service / "finish.txt").write_text("length")
    assert built(settings)[0] == []


@pytest.mark.parametrize(
    "answer",
    ["\n" * 30_000, "Instruction:" * 2500, "Instruction:\n" * 2500, "Instruction: a\nInput: b\n" * 1200, "." * 30_000],
)
def test_an_answer_without_an_end_takes_no_longer_than_it_is_long(settings, service, answer):  # noqa: F811
    (service / "answer.txt").write_text(answer)
    started = time.monotonic()
    samples, funnel = built(settings)
    assert time.monotonic() - started < 5
    assert (samples, list(funnel.lost)) == ([], ["the service wrote no task"])


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("1. Instruction: Say <end>\n1. Input:\n1. Output:\nno", "a text holds a special token of the model"),
        ("1. Instruction: Say it\n1. Input:\n1. Output:\n<end>", "a text holds a special token of the model"),
        (f"1. Instruction: {'word ' * 151}\n1. Input:\n1. Output:\nno", "its instruction is longer than 150 words"),
        (f"1. Instruction: Say it\n1. Input:\n1. Output:\n{'no' * 10_000}", "longer than 20,000 characters"),
        ("far more " * 4000, "the service wrote far more than it was asked for"),
    ],
)
def test_tasks_that_nobody_should_learn_from(settings, service, tmp_path, task, reason):  # noqa: F811
    (service / "answer.txt").write_text(task)
    told = {"added_tokens": [{"content": "<end>", "special": True}]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(told))
    builder, funnel = SelfInstruct(SelfInstruct.Params(**settings)), Funnel()
    builder.check_tokenizer(tmp_path)
    assert list(builder.stream(0, funnel)) == []
    assert set(funnel.lost) == {reason}
    assert funnel.source == funnel.lost[reason] > 0


@pytest.mark.parametrize(
    ("one", "other", "value"),
    [
        ("a b c d", "a b c d", 1.0),
        ("a b c d", "a x b c", 0.75),  # three of four in order
        ("d c b a", "a b c d", 0.25),
        ("a b", "c d", 0.0),
        ("", "a", 0.0),
    ],
)
def test_rouge_l(one, other, value):
    assert rouge_l(one.split(), other.split()) == value


def test_what_is_wrong_is_said_before_anything_is_asked(settings, tmp_path):
    def refused(words, **more):
        with pytest.raises(UserError, match=words):
            SelfInstruct(SelfInstruct.Params(**settings | more)).check()

    refused("seeds: no file is named", seeds="")
    refused("cannot be read: No such file", seeds=str(tmp_path / "nowhere.jsonl"))
    (tmp_path / "empty.jsonl").write_text("{}\n")
    refused("holds no task", seeds=str(tmp_path / "empty.jsonl"))
    refused(r"template: has no \{tasks\}", template="more")
    refused("builder.writer: name the model", writer="")


def test_seeds_that_are_no_file_or_too_many_are_not_read(settings, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 30)
    for name, said in (("pipe", "no ordinary file"), ("huge", "larger than 64 MiB"), ("none", "cannot be read")):
        with pytest.raises(UserError, match=said):
            SelfInstruct(SelfInstruct.Params(**settings | {"seeds": str(tmp_path / name)})).check()


def test_contract(settings, tmp_path):
    builder = SelfInstruct(SelfInstruct.Params(**settings))
    builder.cache_in(tmp_path / "cache")
    check(builder)
