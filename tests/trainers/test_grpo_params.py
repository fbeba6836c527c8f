"""The settings of learning from verdicts, from a form's text, a shell's override and a stored spec alike."""

from __future__ import annotations

import json

import pytest

from engine import plugin_text
from engine.errors import UserError
from engine.plugins import BENCHMARKS, TRAINERS
from engine.spec_files import read_spec
from engine.specs import overrides_of


def test_a_benchmark_is_named_with_its_settings_in_every_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bugs").mkdir()
    wanted = BENCHMARKS.params({"name": "folder", "folder": str(tmp_path / "bugs")})
    for override in (
        ["trainer.benchmark.folder=bugs"],
        ['trainer.benchmark={"name": "folder", "folder": "bugs"}'],
        ["trainer.benchmark=folder", "trainer.benchmark.folder=bugs"],
    ):
        trainer = read_spec("train", "", ["trainer=grpo", *override]).trainer
        assert plugin_text.read(trainer.benchmark, BENCHMARKS) == wanted
    again = read_spec("train", "", overrides_of(read_spec("train", "", ["trainer=grpo", *override]))).trainer
    assert again == trainer
    assert TRAINERS.params({"name": "grpo", "benchmark": trainer.benchmark}).benchmark == trainer.benchmark


def test_a_name_alone_stays_a_name():
    assert TRAINERS.params({"name": "grpo", "benchmark": "pocket"}).benchmark == "pocket"
    assert TRAINERS.params({"name": "grpo", "benchmark": {"name": "pocket", "timeout_s": 5.0}}).benchmark == "pocket"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("benchmark=nowhere", "there is no benchmarks plug-in called 'nowhere'"),
        ('benchmark={"name": "pocket", "size": 1}', "size"),
        ("benchmark.timeout_s=-1", "greater than 0"),
        ("representation=none", "there is no representations plug-in"),
        ("candidates=5", r"a whole number of groups of candidates \(5\)"),
        ("best_checkpoint=true", "nothing to evaluate"),
    ],
)
def test_what_does_not_fit_is_a_sentence(override, said):
    with pytest.raises(UserError, match=said):
        read_spec("train", "", ["trainer=grpo", f"trainer.{override}"])


def test_a_reward_without_weights_is_refused():
    zero = [f"trainer.weight_{part}=0" for part in ("compiles", "tests", "length")]
    with pytest.raises(UserError, match="nothing would be learned"):
        read_spec("train", "", ["trainer=grpo", *zero])


def test_the_text_is_json_where_there_are_settings():
    text = TRAINERS.params({"name": "grpo", "benchmark": {"name": "pocket", "languages": ["python"]}}).benchmark
    assert json.loads(text) == {"name": "pocket", "languages": ["python"]}
