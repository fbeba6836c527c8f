"""Whole runs on a machine behind ssh come to the same as here, whatever happens to the link, the studio or the worker."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import psutil
import pytest
from loopback import NEEDED, WHY, Sshd

from engine.control.workspace import Workspace
from engine.launchers.brought import read_link
from engine.launchers.local import parse_handle
from engine.rundir import ACTIVE, RunDir
from engine.spec_files import read_spec

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(NEEDED), reason=WHY)]
FIGURES = ("scored", "plausible_at", "counted_at", "patches", "outcomes")
MANY = 24  # bugs, so that there is time for what happens meanwhile
BUGS = ['benchmark.languages=["python"]', "limit=6", "candidates=4"]


@pytest.fixture
def far(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as there
    server = Sshd(tmp_path / "sshd")
    yield server
    server.stop()


def there(far, **more):
    return f"launcher={json.dumps(far.settings(**more))}"


def until(workspace, holds, seconds=600):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, [(run.name, run.state, run.error) for run in workspace.runs.list()]
        workspace.tick()
        time.sleep(0.1)


def ended(workspace, run_id, state="done"):
    until(workspace, lambda: workspace.runs.row(run_id).state not in ("queued", *ACTIVE))
    run = workspace.runs.row(run_id)
    assert run.state == state, (run.error, RunDir(Path(run.folder)).log.read_text()[-2000:])
    return run


def benchmark(workspace, *overrides):
    return workspace.runs.submit(read_spec("benchmark", "demo", [*BUGS, *overrides]))


def rows_of(run):
    """(bug, source, rank) -> what was written, the patch and its outcome; each was said once."""
    said = [each.payload for each in RunDir(Path(run.folder)).all_events() if each.kind == "patch"]
    found = {(e.bug_id, e.source, e.rank): (e.completion, e.text, e.verdict.outcome, e.same_as) for e in said}
    assert len(found) == len(said), "a patch was tested twice"
    return found


def assert_same(one, other):
    assert rows_of(one) == rows_of(other)
    assert {name: one.result[name] for name in FIGURES} == {name: other.result[name] for name in FIGURES}


def far_folder(run):
    return Path(json.loads(run.handle)["there"])


@pytest.mark.long
def test_rows_and_figures_are_those_of_a_local_run(home, far):
    workspace = Workspace(home)
    elsewhere, here = benchmark(workspace, there(far)), benchmark(workspace)
    until(workspace, lambda: workspace.runs.row(elsewhere).state in ACTIVE and workspace.runs.row(here).state in ACTIVE)
    one, other = ended(workspace, elsewhere), ended(workspace, here)
    assert len(rows_of(one)) == 6 * (4 + 2)
    assert_same(one, other)
    run = RunDir(Path(one.folder))
    assert run.events_path.read_bytes() == (far_folder(one) / "events.jsonl").read_bytes()
    assert run.log.read_bytes() == (far_folder(one) / "log.txt").read_bytes()
    assert run.inputs().weights_hash == RunDir(Path(other.folder)).inputs().weights_hash != ""
    assert run.inputs().model == RunDir(Path(other.folder)).inputs().model
    workspace.close()


def test_shards_on_that_machine_come_to_the_rows_of_one_worker_here(home, far):
    workspace = Workspace(home)
    elsewhere, here = benchmark(workspace, there(far, most=2), "shards=2"), benchmark(workspace)
    one, other = ended(workspace, elsewhere), ended(workspace, here)
    assert_same(one, other)
    log = RunDir(Path(one.folder)).log.read_text()
    assert "shard 2: far:" in log, "where it is"
    workspace.close()


@pytest.mark.long
def test_shards_of_a_dataset_on_that_machine_are_put_together_here(home, far, tmp_path):
    workspace = Workspace(home)
    code = "def f{0}(a, b):\n    c = a + {0}\n    return b - c\n"
    rows = [(code.format(n), code.format(n).replace("-", "*")) for n in range(200)]
    source = tmp_path / "pairs.jsonl"
    source.write_text(
        "".join(json.dumps({"buggy_function": buggy, "fixed_function": fixed}) + "\n" for buggy, fixed in rows)
    )
    table = ["builder=columns", f"builder.file={source}", 'name=""']
    elsewhere, here = (
        workspace.runs.submit(read_spec("dataset", "demo", [*table, *where]))
        for where in ([there(far, most=2), "shards=2"], [])
    )
    one, other = ended(workspace, elsewhere), ended(workspace, here)
    assert (one.result["hash"], one.result["rows"]) == (other.result["hash"], other.result["rows"])
    assert "is built here" not in RunDir(Path(one.folder)).log.read_text(), "what was prepared there is used"
    workspace.close()


@pytest.mark.long
def test_data_built_there_and_a_model_trained_there_are_the_same_to_the_byte(home, far):
    workspace = Workspace(home)
    settings = ["trainer.max_steps=4", "trainer.batch_size=2", "trainer.save_steps=2", 'name=""']
    models = []
    for where in ([there(far)], []):
        built = workspace.runs.submit(read_spec("dataset", "demo", ["builder.samples=24", 'name=""', *where]))
        name = ended(workspace, built).name
        trained = workspace.runs.submit(read_spec("train", "demo", [*settings, f"dataset={name}", *where]))
        models.append(Path(ended(workspace, trained).folder) / "artifacts" / "model")
    files = [sorted(path.name for path in model.iterdir()) for model in models]
    assert files[0] == files[1]
    for name in files[0]:
        assert (models[0] / name).read_bytes() == (models[1] / name).read_bytes(), name
    again = benchmark(workspace, f"model={models[0]}", "limit=1", "candidates=1", there(far))
    assert ended(workspace, again).result[
        "patches"
    ]  # what was trained there goes there again as any model of this home
    workspace.close()


def test_a_cut_link_and_a_studio_that_ends_change_nothing_but_the_delay(home, far):
    workspace = Workspace(home)
    run_id = benchmark(workspace, f"limit={MANY}", there(far))
    until(workspace, lambda: workspace.runs.row(run_id).progress_done >= 4)
    far.stop()
    worker = parse_handle(json.loads(workspace.runs.row(run_id).handle)["worker"])[1]
    seen, began = set(), time.monotonic()
    while time.monotonic() - began < 14:
        workspace.tick()
        run = workspace.runs.row(run_id)
        seen.add(run.state)
        time.sleep(0.2)
    before = rows_of(run)
    assert seen <= {"running", "stalled"}
    assert "Connection refused" in read_link(Path(run.folder)).why
    assert len(before) < len(rows_of_folder(far_folder(run))), "the worker went on meanwhile"
    workspace.close()
    workspace = Workspace(home)  # another studio, while the link is still cut
    for _ in range(5):
        workspace.tick()
        time.sleep(0.1)
    assert workspace.runs.row(run_id).state in ("running", "stalled")
    far.start()
    run = ended(workspace, run_id)
    assert read_link(Path(run.folder)).why == ""
    assert not Path(f"/proc/{worker}").exists()
    assert RunDir(Path(run.folder)).events_path.read_bytes() == (far_folder(run) / "events.jsonl").read_bytes()
    assert len(rows_of(run)) == MANY * (4 + 2)
    workspace.close()


def rows_of_folder(folder):
    return [each for each in RunDir(folder).all_events() if each.kind == "patch"]


@pytest.mark.long
def test_a_worker_killed_there_and_a_run_stopped_there_are_resumed_there(home, far):
    workspace = Workspace(home)
    run_id = benchmark(workspace, f"limit={MANY}", there(far))
    until(workspace, lambda: workspace.runs.row(run_id).progress_done >= 4)
    os.kill(parse_handle(json.loads(workspace.runs.row(run_id).handle)["worker"])[1], signal.SIGKILL)
    run = ended(workspace, run_id, "failed")
    assert run.cause == "killed"
    first = far_folder(run)
    workspace.runs.resume(run_id)
    until(workspace, lambda: workspace.runs.row(run_id).state == "running")
    began = time.monotonic()
    workspace.runs.stop(run_id)
    run = ended(workspace, run_id, "stopped")
    assert time.monotonic() - began < 15
    workspace.runs.resume(run_id)
    run = ended(workspace, run_id)
    assert far_folder(run) == first
    assert len(rows_of(run)) == MANY * (4 + 2)
    workspace.close()


@pytest.mark.long
def test_a_studio_killed_between_start_and_answer_finds_its_worker(home, far, monkeypatch):
    workspace = Workspace(home)
    run_id = benchmark(workspace, there(far))
    until(workspace, lambda: workspace.runs.row(run_id).handle != "")
    run = workspace.runs.row(run_id)
    with workspace._database.write() as session:
        session.get_one(type(run), run_id).handle = ""
    workspace.close()
    workspace = Workspace(home)
    until(workspace, lambda: workspace.runs.row(run_id).handle != "")
    assert workspace.runs.row(run_id).handle == run.handle
    ended(workspace, run_id)
    workspace.close()


def test_a_run_is_stopped_while_its_model_goes_over_a_slow_link_and_goes_on_from_there(
    home, far, tmp_path, monkeypatch
):
    real, slow = shutil.which("rsync"), tmp_path / "bin" / "rsync"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\nexec {real} --bwlimit=400 "$@"\n')
    slow.chmod(0o755)
    workspace = Workspace(home)
    with monkeypatch.context() as within:
        within.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
        run_id = benchmark(workspace, there(far))
        until(workspace, lambda: [*far.folder.glob("there/**/.~tmp~/*"), *far.folder.rglob("*.safetensors*")])
        began = time.monotonic()
        workspace.runs.stop(run_id)
        ended(workspace, run_id, "stopped")
        assert time.monotonic() - began < 15
        assert not [
            each for each in psutil.process_iter(["cmdline"]) if "--bwlimit=400" in (each.info["cmdline"] or ())
        ]
    workspace.runs.resume(run_id)
    assert rows_of(ended(workspace, run_id))
    workspace.close()
