"""Samples of many segments, and preferences, as a builder may make them instead of bugs."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from engine.domain import Message, Preference, Sample, Segment
from engine.fingerprint import dataset_hash


@pytest.fixture
def stream(monkeypatch):
    """A builder of whatever a test gives it."""

    def given(makes, *made):
        class Given:
            name = "faults"

            def __init__(self):
                self.makes = makes

            def stream(self, seed, funnel):
                funnel.source = len(made)
                yield from made

            def total(self):
                return len(made)

        monkeypatch.setattr("engine.work.build.BUILDERS.create", lambda params: Given())

    return given


def test_of_a_sample_of_many_segments_the_learned_ones_are_learned(make, stream):
    talk = (Segment("fix:"), Segment(" x = 1\n", True), Segment("wrong\n"), Segment(" x = 2\n", True))
    closed = (Segment("fix:"), Segment(" x = 1\n", True), Segment(" thanks\n"))
    stream("samples", Sample("a", talk, "talk", "python", "p"), Sample("a", talk), Sample("b", closed))
    run, report, train, _ = make([], builder={"name": "faults"}, valid_fraction=0)
    row, other = train
    first, start, end, last = row["learned"]
    ids = row["input_ids"]
    assert (first, last) == (row["n_prompt"], len(ids)), "the end of the text is learned too"
    tokenizer = Tokenizer.from_file(str(run.artifacts / "tokenizer" / "tokenizer.json"))
    assert [tokenizer.decode(ids[:first]), tokenizer.decode(ids[start:end])] != ["", ""]
    assert tokenizer.decode(ids[first:start]) == " x = 1\n"
    assert tokenizer.decode(ids[end : last - 1]) == " x = 2\n"
    assert other["learned"][-1] < len(other["input_ids"]), "what is only read at the end is not learned, nor is the end"
    assert report["learned_tokens"] == sum(
        r["learned"][at + 1] - r["learned"][at] for r in train for at in range(0, len(r["learned"]), 2)
    )
    assert (report["holds"], (row["kind"], row["language"], row["project"])) == ("samples", ("talk", "python", "p"))
    assert [step["reason"] for step in report["funnel"]["steps"]] == ["duplicate"]
    assert dataset_hash(run.artifacts) == report["hash"]


def test_a_preference_has_both_answers_after_one_prompt(make, stream):
    stream(
        "preferences",
        Preference("a", "fix:", " good\n", " very bad indeed\n"),
        Preference("b", "fix:", " good\n", " worse\n"),
    )
    run, report, train, _ = make([], builder={"name": "faults"}, valid_fraction=0)
    assert report["holds"] == "preferences"
    row = train[0]
    assert row["learned"] == [row["n_prompt"], len(row["input_ids"])]
    assert row["rejected_ids"][-1] == row["input_ids"][-1]
    assert row["n_tokens"] == row["n_prompt"] + len(row["rejected_ids"]), "the longer answer counts"
    assert (row["target"], row["rejected"]) == (" good\n", " very bad indeed\n")
    assert dataset_hash(run.artifacts) == report["hash"]
    stream(
        "preferences", Preference("a", "fix:", " good\n", " other\n"), Preference("b", "fix:", " good\n", " worse\n")
    )
    assert make([], builder={"name": "faults"}, valid_fraction=0)[1]["hash"] != report["hash"]


def test_a_preference_in_messages_ends_once(make, stream):
    asked = (Message("user", "fix?"),)
    stream("preferences", Preference("a", asked, "good", "bad"), Preference("b", asked, "very good", "bad"))
    (row, _) = make([], builder={"name": "faults"}, valid_fraction=0)[2]
    assert row["prompt"] == "<|im_start|>user\nfix?<|im_end|>\n<|im_start|>assistant\n"
    assert (row["target"], row["rejected"]) == ("good<|im_end|>", "bad<|im_end|>")
    assert row["input_ids"][-1] == row["rejected_ids"][-1]
    assert row["input_ids"].count(row["input_ids"][-1]) == 2, "at the end of the question and of the answer"


def test_messages_are_written_in_the_models_chat_template(make, stream):
    def talk(name, *said):
        roles = ("user", "assistant") * (len(said) // 2)
        return Sample(
            name, tuple(Segment(text, role == "assistant", role) for text, role in zip(said, roles, strict=True))
        )

    spelled = talk("b", "a<|im_end|>", "b")
    stream("samples", talk("a", "one?", "1", "two?", "2"), spelled, talk("a", "one?", "1", "two?", "2"))
    run, report, (row,), _ = make([], builder={"name": "faults"}, valid_fraction=0)
    tokenizer = Tokenizer.from_file(str(run.artifacts / "tokenizer" / "tokenizer.json"))
    ranges = list(zip(row["learned"][::2], row["learned"][1::2], strict=True))
    pieces = [tokenizer.decode(row["input_ids"][low:high], skip_special_tokens=False) for low, high in ranges]
    assert pieces == ["1<|im_end|>", "2<|im_end|>"]
    assert tokenizer.decode(row["input_ids"], skip_special_tokens=False) == (
        "<|im_start|>user\none?<|im_end|>\n<|im_start|>assistant\n1<|im_end|>\n"
        "<|im_start|>user\ntwo?<|im_end|>\n<|im_start|>assistant\n2<|im_end|>"
    )
    reasons = {step["reason"]: step["example"] for step in report["funnel"]["steps"]}
    assert reasons == {"the code holds the special token <|im_end|>": "b", "duplicate": "a"}


@pytest.mark.parametrize("where", ["bug_id", "project", "kind"])
def test_a_row_whose_names_are_as_long_as_texts_is_left_out(make, stream, where):
    huge = Sample(**{"bug_id": "a", "segments": (Segment("x"), Segment("y", True)), where: "n" * 1001})
    stream("samples", huge, Sample("b", (Segment("u"), Segment("v", True))))
    _, report, (row,), _ = make([], builder={"name": "faults"}, valid_fraction=0)
    assert row["bug_id"] == "b"
    (step,) = report["funnel"]["steps"]
    assert (step["reason"], step["count"]) == ("its id, project or kind is longer than 1,000 characters", 1)
    assert len(step["example"]) <= 300
