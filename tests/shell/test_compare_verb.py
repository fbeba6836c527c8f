"""`repair-studio compare` on a home that has been used."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.shell.cli import app

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "studio"))
from filled import fill

ON_POCKET = ("4", "5")  # the benchmark runs of a filled home


@pytest.fixture
def compare(home):
    fill(home)
    return lambda *words: CliRunner().invoke(app, ["compare", *words, "--home", str(home)], env={"COLUMNS": "160"})


def test_two_runs_as_json(compare):
    found = json.loads(compare(*ON_POCKET, "--json").stdout)
    assert found["both"] + found["only_first"] + found["only_second"] + found["neither"] == found["common_bugs"] == 20
    assert 0 <= found["p_value"] <= 1
    assert [run["run"] for run in found["runs"]] == [4, 5]
    share = found["runs"][0]["plausible_at"]["10"]
    assert share == {"hits": found["both"] + found["only_first"], "total": 20}
    assert len(found["bugs"]) == 24
    assert sum(None in bug["repaired"] for bug in found["bugs"]) == 4  # no JDK: they were set aside


def test_two_runs_for_a_person(compare):
    said = compare(*ON_POCKET, "--at", "1").stdout
    assert "plausible@1" in said
    assert "McNemar's exact test: p = " in said
    assert "20 bugs are scored by all of them" in said


def test_two_runs_for_a_paper(compare):
    rows = [line for line in compare(*ON_POCKET, "--latex").stdout.splitlines() if "&" in line]
    assert rows[0].split() == [
        r"Model",
        r"&",
        r"Bugs",
        r"&",
        r"plausible@1",
        r"&",
        r"plausible@5",
        r"&",
        r"plausible@10",
        r"&",
        r"exact@10",
        r"&",
        r"tree@10",
        r"\\",
    ]
    assert [row.split(" & ")[:2] for row in rows[1:]] == [["    starter", "20"], ["    repair-lora", "20"]]
    shorter = compare(*ON_POCKET, "--latex", "--at", "4").stdout
    assert re.findall(r"[a-z]+@\d+", shorter) == ["plausible@1", "plausible@4", "exact@4", "tree@4"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["4"], "choose 2 to 8 different benchmark runs"),
        (["4", "4"], "choose 2 to 8 different benchmark runs"),
        (["4", "99"], "there is no run 99"),
        (["4", "2"], "run 2 (repair-lora) is a train run"),
        (["4", "5", "--at", "11"], "choose a k from 1 to 10, not 11"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(compare, words, complaint):
    done = compare(*words)
    assert done.exit_code == 2
    assert complaint in done.stderr
