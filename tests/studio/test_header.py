"""The header: what it says of runs at work and of those that wait."""

from __future__ import annotations

from engine.control.workspace import Workspace
from engine.rundir import ACTIVE
from engine.spec_files import read_spec
from studio.html.header import header


def test_the_header_counts_all_that_wait_and_leads_to_the_one_that_is_next(tmp_path):
    made = Workspace(tmp_path / "home")
    ids = [made.runs.submit(read_spec("dataset", "demo", [f"name=set-{number}"])) for number in range(60)]
    made.runs.move(ids[2], "first")
    text = header("here", made.runs.list(states=ACTIVE), made.runs.waiting())
    made.close()
    assert ">60 queued<" in text.replace("<i></i>", ">")
    assert f'href="?run={ids[2]}"' in text
