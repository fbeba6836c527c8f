"""`repair-studio plan`: a table or JSON, from a kind of run or a file, and sentences about what is wrong."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from engine.shell.cli import app


@pytest.fixture
def said(home):
    def run(*words, code=0):
        done = CliRunner().invoke(app, ["plan", *words, "--home", str(home)])
        assert done.exit_code == code, done.output
        return done.stdout if not code else done.stderr

    return run


def test_a_file_and_its_kind_plan_the_same(said, tmp_path):
    spec = tmp_path / "spec.json"
    spec.write_text('{"kind": "benchmark", "benchmark": {"name": "pocket", "languages": ["python"]}}')
    by_file = json.loads(said(str(spec), "--json"))
    assert by_file == json.loads(said("benchmark", "--set", 'benchmark.languages=["python"]', "--json"))
    assert {line["name"]: line["value"] for line in by_file["lines"]} == {"time": None, "patches to test": 552}
    assert "--set limit=12" in by_file["first"]


def test_the_help_names_only_what_is_planned(said):
    help_text = said("--help")
    assert "benchmark, train, dataset" in " ".join(help_text.replace("│", " ").split())
    assert "chat" not in help_text


def test_in_words(said):
    shown = said("benchmark", "demo", "--nodes", "8", "--gpus", "4")
    assert "plan for 8 nodes, 32 GPUs in all" in shown
    assert "not known" in shown
    assert "first: repair-studio benchmark" in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nothing",), "'nothing' is neither a file nor a kind of run; kinds: dataset, train"),
        (("chat",), "a loaded model is not planned"),
        (("train", "--set", "dataset=gone"), "there is no dataset"),
        (("benchmark", "--set", "limit=0"), "limit: should be greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_one_sentence(said, words, sentence):
    assert sentence in said(*words, code=2)


def test_a_file_without_a_kind_says_so(said, tmp_path):
    spec = tmp_path / "spec.json"
    spec.write_text("{}")
    assert "names no kind of run; write it before the file" in said(str(spec), code=2)
