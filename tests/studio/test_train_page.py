"""Train: what is said of the first sample and of the newest measurement."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine.control.datasets import ShownSample
from studio.html.basics import brief
from studio.pages.train import first_sample, newest_measurement

SAMPLE = {"index": 0, "total": 1, "is_whole": True, "bug_id": "b", "kind": "", "prompt": "p", "target": "t"}


def workspace(**more):
    sample = ShownSample(**SAMPLE, buggy="", fixed="", pieces=(("p", False), ("t", True)), **more)
    return SimpleNamespace(datasets=SimpleNamespace(names=lambda: ["d"], sample=lambda name: sample))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "as the model will see it</h4>"),
        ({"is_wrong": True}, "a wrong answer</h4>"),
        ({"rejected": "<worse>"}, "with the better answer</h4>"),
    ],
)
def test_the_first_sample_says_which_answer_it_is(more, said):
    shown = first_sample(workspace(**more), "d")
    assert said in shown
    assert ("The worse answer" in shown, "&lt;worse&gt;" in shown) == ("rejected" in more, "rejected" in more)


def test_an_unknown_dataset_has_no_first_sample():
    assert first_sample(workspace(), "gone") == ""


def test_the_newest_measurement_says_what_was_measured():
    spec = {"model": "starter", "dataset": "<demo>", "trainer": {"name": "sft"}}
    run = SimpleNamespace(id=10, state="done", outcome="2.49 GiB on CPU", error="", spec=spec)
    runs = SimpleNamespace(list=lambda kind, limit: [run])
    shown = newest_measurement(SimpleNamespace(runs=runs))
    assert "(starter on &lt;demo&gt;, by sft): 2.49 GiB on CPU" in shown


@pytest.mark.parametrize(("text", "shown"), [("a" * 120, "a" * 120), ("b" * 118 + " cc", "b" * 118 + "…"), ("", "")])
def test_a_text_cut_for_a_card_says_that_there_is_more(text, shown):
    assert brief(text) == shown
