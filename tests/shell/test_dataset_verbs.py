"""The verbs on datasets print what the page shows."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.control.workspace import Workspace
from engine.listed import Listing
from engine.shell.cli import app

sys.path.append(str(Path(__file__).resolve().parents[1] / "studio"))
from filled import NAMES, fill


@pytest.fixture
def shell(tmp_path):
    """Call the program on a home that was used."""
    fill(tmp_path)
    workspace = Workspace(tmp_path)
    folder = Path(workspace.datasets.get("stdlib-faults").folder)
    workspace.close()
    with Listing(folder / "left_out.jsonl") as listing:
        listing.add("longer than 1024 tokens", bug_id="argparse.py:1710", n_tokens=2000)
        listing.add("no fault fits the function", where="abc.py:12\x1b[2J")
    with Listing(folder / "overlap.jsonl") as listing:
        listing.add("pocket", bug_id="a.py:1", like="pocket/py-gcd", how="shared tokens", share=0.6)

    def call(*words):
        return CliRunner().invoke(app, [*words, "--home", str(tmp_path)])

    return call


def test_datasets_are_listed_and_shown(shell):
    (row,) = json.loads(shell("dataset", "list", "--json").stdout)
    assert (row["name"], row["rows"], row["run"]) == ("stdlib-faults", 2400, 1)
    shown = shell("dataset", "show", "stdlib-faults").stdout
    assert "2,280 samples for training, 120 for evaluation" in shown
    assert "longer than 1024 tokens" in shown
    assert "repair-qlora" in shown
    values = json.loads(shell("dataset", "show", "stdlib-faults", "--json").stdout)
    assert values["losses"][0]["count"] == 402
    assert len(values["used_by"]) == 3


def test_the_rows_of_a_loss_and_of_an_overlap_are_printed(shell):
    found = shell("dataset", "left-out", "stdlib-faults", "--reason", "longer than 1024 tokens").stdout
    assert found == "argparse.py:1710  longer than 1024 tokens  n_tokens=2000\n"
    whole = shell("dataset", "left-out", "stdlib-faults", "--limit", "1").stdout
    assert whole.endswith("... 1 more; --limit shows them\n")
    assert "\x1b" not in shell("dataset", "left-out", "stdlib-faults").stdout
    overlap = json.loads(shell("dataset", "overlap", "stdlib-faults", "--json").stdout)
    assert (overlap["total"], overlap["rows"][0]["like"]) == (1, "pocket/py-gcd")
    assert shell("dataset", "missing", "stdlib-faults", "--search", "lang-1").stdout == "Lang-1  not in the source\n"


def test_a_dataset_is_exported_by_its_name_or_its_run(shell, tmp_path):
    for what in ("stdlib-faults", "1"):
        path = Path(shell("export", what, "--format", "jsonl").stdout.strip())
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert len(rows) == 2 * len(NAMES)
        assert {"id", "prompt", "target"} <= rows[0].keys()
    out = tmp_path / "mine"
    assert shell("export", "stdlib-faults", "--format", "hf", "--out", str(out)).stdout.strip() == str(out)
    assert (out / "README.md").is_file()
    refused = shell("export", "stdlib-faults", "--format", "hf", "--out", str(out))
    assert (refused.exit_code, "exists" in refused.stderr) == (2, True)
    benchmark = shell("export", "4")
    assert benchmark.stdout.strip().endswith("run-4.csv")
    wrong = shell("export", "2", "--format", "jsonl")
    assert (wrong.exit_code, wrong.stderr) == (2, "repair-studio: run 2 has built no dataset that is still there\n")


def test_deleting_names_what_uses_a_dataset(shell):
    refused = shell("dataset", "delete", "stdlib-faults")
    assert refused.exit_code == 2
    assert "is used by run 7 (repair-qlora), run 6 (too-large), run 2 (repair-lora); --yes" in refused.stderr
    assert shell("dataset", "delete", "stdlib-faults", "--yes").stdout == "dataset stdlib-faults is deleted\n"
    assert json.loads(shell("dataset", "list", "--json").stdout) == []
