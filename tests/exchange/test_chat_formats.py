"""Conversations leave a dataset in the form of other trainers, and come back as they were."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from engine.builders import Funnel
from engine.control.dataset_exports import export, stops
from engine.errors import UserError
from engine.exchange.sides import Exportable
from engine.plugins import BUILDERS
from engine.representations import alpaca

sys.path.append(str(Path(__file__).resolve().parents[1] / "work"))
from small_dataset import make, pair  # noqa: F401

TALK = [
    {"role": "system", "content": "You repair code."},
    {"role": "user", "content": "Repair `f`."},
    {"role": "assistant", "content": "return 1"},
    {"role": "user", "content": "Also for é?"},
    {"role": "assistant", "content": "return 2\n"},
]


def table(folder, rows):
    path = folder / "given.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def exported(made, form, folder):
    """The rows of a dataset in a format, and the file that holds them."""
    run, report, *_ = made
    dataset = Exportable("n", run.artifacts, "card", report, stops(None))
    path = export(dataset, folder / "out", form)
    return [json.loads(line) for line in path.read_text().splitlines()], path


def read(name, path, **settings):
    builder = BUILDERS.from_value({"name": name, "file": str(path), "id": "id", **settings})
    return list(builder.stream(0, Funnel()))


@pytest.mark.parametrize(("form", "column"), [("openai", "messages"), ("firefly", "conversation"), ("sharegpt", "conversations"), ("jsonl", "messages")])  # fmt: skip
def test_a_conversation_of_several_turns_comes_back_as_it_was(make, tmp_path, form, column):  # noqa: F811
    given = table(tmp_path, [{"messages": TALK, "id": "a"}, {"messages": TALK[1:3], "id": "b"}])
    made = make(builder={"name": "conversations", "file": given, "id": "id"}, valid_fraction=0)
    rows, path = exported(made, form, tmp_path)
    assert [row["id"] for row in rows] == ["a", "b"]
    assert [sample.segments for sample in read("conversations", path, conversation=column)] == [
        sample.segments for sample in read("conversations", given)
    ]


def test_answers_that_are_only_read_are_told(make, tmp_path):  # noqa: F811
    given = table(tmp_path, [{"messages": TALK}])
    made = make(builder={"name": "conversations", "file": given, "learn": "last"}, valid_fraction=0)
    ((row,), _) = exported(made, "openai", tmp_path)
    assert row["messages"] == [*TALK[:2], TALK[2] | {"weight": 0}, *TALK[3:]]


def test_bugs_shown_in_a_chat_are_rows_of_firefly(make, tmp_path):  # noqa: F811
    made = make([pair(1)], representation="instruct", valid_fraction=0)
    ((row,), path) = exported(made, "firefly", tmp_path)
    ((turn,), number) = row["conversation"], row["conversation_id"]
    assert turn["human"].startswith("Repair the function `f1`.")
    assert turn["assistant"].endswith("```"), "without the token of the template that ends it"
    assert (number, row["split"], path.name) == (1, "train", "dataset-n.firefly.jsonl")


def test_published_texts_are_a_question_and_its_answer(make, tmp_path):  # noqa: F811
    made = make([pair(1)], representation={"name": "ir4_or2", "mark": "literal"}, valid_fraction=0)
    ((row,), _) = exported(made, "openai", tmp_path)
    ((plain,), _) = exported(made, "jsonl", tmp_path)
    assert [each["content"] for each in row["messages"]] == [plain["prompt"], plain["target"]]
    assert "messages" not in plain


@pytest.mark.parametrize("ending", ["response", "output", "end"])
def test_instructions_come_back_out_of_alpacas_text(make, tmp_path, ending):  # noqa: F811
    rows = [{"instruction": "Add.\n\n### Input:\nno", "input": "1, 2", "output": "3\n"}, {"instruction": "a", "input": "", "output": "### End"}]  # fmt: skip
    made = make(builder={"name": "instructions", "file": table(tmp_path, rows[1:]), "form": ending}, valid_fraction=0)
    ((row,), _) = exported(made, "alpaca", tmp_path)
    assert {name: row[name] for name in rows[1]} == rows[1]
    for each in rows:
        texts = alpaca.prompt_of(each["instruction"], each["input"], ending), alpaca.target_of(each["output"], ending)
        found = alpaca.parts_of(*texts)
        assert found is not None
        assert alpaca.segments(*found, ending) == alpaca.segments(*each.values(), ending), "the same texts again"
    assert alpaca.parts_of("Repair this.", "x") is None


def test_pairs_are_conversations_that_differ_in_their_last_message(make, tmp_path):  # noqa: F811
    ask = TALK[:2]
    rows = [{"id": "p", "chosen": [*ask, TALK[2]], "rejected": [*ask, TALK[4]]}, {"id": "q", "prompt": "1+1=", "chosen": "2", "rejected": "3"}]  # fmt: skip
    made = make(builder={"name": "preferences", "file": table(tmp_path, rows), "id": "id"}, valid_fraction=0)
    found, path = exported(made, "dpo", tmp_path)
    assert found[0] == {"prompt": ask[1]["content"], "prompt_id": "p", **rows[0], "split": "train"}
    assert found[1]["chosen"] == [{"role": "user", "content": "1+1="}, {"role": "assistant", "content": "2"}]
    first = read("preferences", path)[0]
    assert (first.prompt[-1].text, first.chosen, first.rejected) == ("Repair `f`.", "return 1", "return 2\n")


def test_what_a_format_has_no_place_for_is_said(make, tmp_path):  # noqa: F811
    given = table(tmp_path, [{"messages": TALK, "id": "a"}])
    made = make(builder={"name": "conversations", "file": given, "id": "id"}, valid_fraction=0)
    with pytest.raises(UserError, match="'a' has 2 answers, and rows of Alpaca have one; choose firefly"):
        exported(made, "alpaca", tmp_path)
    with pytest.raises(UserError, match="'n' holds samples, and this format is for preferences"):
        exported(made, "dpo", tmp_path)


def test_a_mix_keeps_the_messages(make, tmp_path):  # noqa: F811
    given = table(tmp_path, [{"messages": TALK, "id": "a"}])
    talk, bugs = (
        make(builder={"name": "conversations", "file": given, "id": "id"}, valid_fraction=0),
        make([pair(1)], valid_fraction=0),
    )
    folders = [str(each[0].artifacts) for each in (talk, bugs)]
    mixed = make(builder={"name": "mixer", "datasets": folders}, valid_fraction=0)
    rows, _ = exported(mixed, "openai", tmp_path)
    assert rows[0]["messages"] == TALK
    assert rows[1]["messages"][1]["content"] == "    return b * c\n"
