"""Instructions in both of Alpaca's texts, and as messages."""

from __future__ import annotations

import pytest
from small_tables import jsonl, lost, read

ROW = {"instruction": "Sort it.", "input": "[2, 1]", "output": "[1, 2]"}
BELOW = "Below is an instruction that describes a task"


def texts(tmp_path, row, **settings):
    ((sample,), _) = read("instructions", jsonl(tmp_path / "a.jsonl", [row]), **settings)
    return sample.prompt, sample.target


def test_an_instruction_has_its_own_text_with_and_without_an_input(tmp_path):
    prompt, target = texts(tmp_path, ROW)
    assert prompt == (
        f"{BELOW}, paired with an input that provides further context. Write a response that appropriately completes "
        "the request.\n\n### Instruction:\nSort it.\n\n### Input:\n[2, 1]\n\n### Response:"
    )
    assert target == "[1, 2]"
    without = f"{BELOW}. Write a response that appropriately completes the request.\n\n### Instruction:\nSort it.\n\n"
    for row in ({**ROW, "input": ""}, {**ROW, "input": None}, {"instruction": "Sort it.", "response": "[1, 2]"}):
        assert texts(tmp_path, row) == (f"{without}### Response:", "[1, 2]")
    assert texts(tmp_path, ROW, input="", form="end") == (f"{without}### Output:", "\n[1, 2]\n\n### End")
    assert texts(tmp_path, ROW, input="", form="output") == (f"{without}### Output:", "\n[1, 2]")


def test_an_instruction_may_be_a_message(tmp_path):
    prompt, target = texts(tmp_path, ROW, form="chat")
    assert [(each.role, each.text) for each in prompt] == [("user", "Sort it.\n\n[2, 1]")]
    assert target == "[1, 2]"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"output": ""}, "empty"),
        ({"instruction": None}, "empty"),
        ({"output": ["x"]}, "a cell is not text"),
        ({"input": {"a": 1}}, "a cell is not text"),
        ({"input": "\ud800"}, "not valid Unicode"),
        ({}, ""),
    ],
)
def test_what_is_no_instruction_is_counted_with_its_reason(tmp_path, changed, reason):
    assert lost("instructions", tmp_path, {**ROW, **changed}) == [reason]
