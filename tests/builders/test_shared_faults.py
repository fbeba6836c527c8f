"""Tested faults that several workers look for."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs_to_end import ended
from tested_project import python_project

from engine.builders.ledger import Ledger
from engine.control.workspace import Workspace
from engine.rundir import RunDir
from engine.spec_files import read_spec


def test_a_ledger_takes_over_what_another_about_the_same_knows(tmp_path):
    one, same, other = (Ledger(tmp_path / name, about) for name, about in (("a", "x"), ("b", "x"), ("c", "y")))
    one.put("known", 1)
    same.put("known", 2)
    same.put("new", 3)
    other.put("strange", 4)
    for each in ("b", "c", "missing"):
        one.take_over(tmp_path / each)
    again = Ledger(tmp_path / "a", "x")
    assert [again.get(key) for key in ("known", "new", "strange")] == [1, 3, None]


@pytest.fixture
def workspace(home):
    opened = Workspace(home)
    yield opened
    opened.close()


@pytest.mark.slow
def test_tested_faults_in_shards_are_those_of_one_worker(workspace, tmp_path):
    project = python_project(tmp_path / "project")
    wanted = ["builder=tested_faults", f"builder.folder={project}", "builder.samples=6", "exclude=[]"]
    found = []
    for shards in (1, 2):
        run_id = workspace.runs.submit(read_spec("dataset", "", [*wanted, f"name=in-{shards}", f"shards={shards}"]))
        run = ended(workspace, run_id)
        found.append((run.result["hash"], run.result["rows"]))
        if shards == 2:
            kept = [RunDir(Path(run.folder)).shard(n).artifacts / "kept" / "tested.jsonl" for n in (1, 2)]
            tried = [{line.split('"')[1] for line in path.read_text().splitlines()} for path in kept]
            assert tried[0] & tried[1] < tried[0], "each has tried faults of its own"
    assert found[0] == found[1]
