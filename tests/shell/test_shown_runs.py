"""What `runs show` tells of a run beside its result: where it was, and what it cost."""

from __future__ import annotations

from typer.testing import CliRunner

from engine.control.workspace import Workspace
from engine.shell.cli import app
from engine.spec_files import read_spec
from storage.tables import Run


def test_a_dataset_that_is_built_tells_where_and_what_it_cost(home):
    workspace = Workspace(home)
    run_id = workspace.runs.submit(read_spec("dataset", "demo", ["launcher.hour_price=2", "launcher.currency=EUR"]))
    with workspace._database.write() as session:
        run = session.get_one(Run, run_id)
        run.state, run.started_at, run.ended_at = "done", 1000.0, 4600.0
        run.result = {"where": "4 shards, started by slurm", "rows": {"train": 3, "valid": 1}, "hash": "b1946ac9"}
    workspace.close()
    shown = CliRunner().invoke(app, ["runs", "show", str(run_id), "--home", str(home)]).stdout
    for said in ("where                  4 shards, started by slurm", "2 EUR", "hash                   b1946ac9"):
        assert said in shown
