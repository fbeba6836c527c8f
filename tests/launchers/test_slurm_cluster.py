"""Runs on a real SLURM of one node: what is shown while they wait, stopped, pre-empted, out of time, and lost."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from slurm_cluster import said, slurm  # noqa: F401

from engine.control.workspace import Workspace
from engine.launchers.slurm import Slurm, described, name_of
from engine.rundir import ENDED, RunDir
from engine.spec_files import read_spec
from engine.work.validation import known_verdicts

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("slurm")]
ON_SLURM = ["launcher=slurm", "launcher.gpus=0", "launcher.cpus=1"]
WHOLE_NODE = ["--exclusive", "--output=/dev/null", "--wrap=sleep 5"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A home with a dataset of 64 samples."""
    opened = Workspace(tmp_path_factory.mktemp("cluster") / "home")
    run_id = opened.runs.submit(read_spec("dataset", "demo", ["builder.samples=64"]))
    until(opened, lambda: opened.runs.row(run_id).state == "done")
    yield opened
    for run in opened.runs.list():
        opened.runs.stop(run.id, now=True)
    until(opened, lambda: all(run.state != "stopping" for run in opened.runs.list()), 60)
    opened.close()


def until(workspace, holds, seconds=400):
    deadline = time.monotonic() + seconds
    while not holds():
        told = [(run.name, run.state, run.progress, run.error) for run in workspace.runs.list()]
        assert time.monotonic() < deadline, (told, said("squeue", "-t", "all"))
        workspace.tick()
        time.sleep(0.1)


def training(workspace, *settings):
    fixed = [
        "trainer.epochs=100", "trainer.batch_size=4", "trainer.logging_steps=1", 'name=""', "trainer.save_steps=50",
        "trainer.dropout=0.1", "trainer.eval_steps=1000",
    ]  # fmt: skip
    return workspace.runs.submit(read_spec("train", "demo", [*fixed, *settings]))


def job_of(workspace, run_id):
    return workspace.runs.row(run_id).handle.partition(":")[0]


def restarts(workspace, run_id):
    words = said("scontrol", "--oneliner", "show", "job", job_of(workspace, run_id)).split()
    return next(int(word.partition("=")[2]) for word in words if word.startswith("Restarts="))


def curve(workspace, run_id):
    return [(step, value) for step, value, _ in workspace.runs.metrics(run_id).get("loss", [])]


def done(workspace, run_id, seconds=400):
    until(workspace, lambda: workspace.runs.row(run_id).state in ("done", "failed", "stopped", "interrupted"), seconds)
    row = workspace.runs.row(run_id)
    assert (row.state, row.error) == ("done", ""), RunDir(Path(row.folder)).log.read_text()[-3000:]
    return row


def model_bytes(row):
    return next((Path(row.folder) / "artifacts" / "model").glob("*model.safetensors")).read_bytes()


@pytest.mark.long
def test_what_is_shown_of_a_run_that_waits_and_then_works(workspace):
    blocked = said("sbatch", "--parsable", *WHOLE_NODE)
    until(workspace, lambda: said("squeue", "-h", "-j", blocked, "-o", "%T") == "RUNNING", 30)
    run_id = training(workspace, "trainer.max_steps=400", *ON_SLURM)
    until(workspace, lambda: workspace.runs.get(run_id).progress.startswith("waiting: "), 30)
    view = workspace.runs.get(run_id)
    assert view.state == "starting"
    assert view.progress in ("waiting: Resources", "waiting: Priority")
    until(workspace, lambda: workspace.runs.get(run_id).where == f"SLURM job {job_of(workspace, run_id)}", 30)
    said("scancel", blocked)
    until(workspace, lambda: len(curve(workspace, run_id)) >= 2)
    node = said("sinfo", "-h", "-N", "-o", "%N").split()[0]
    assert workspace.runs.get(run_id).where == f"SLURM job {job_of(workspace, run_id)} on {node}"
    began = time.monotonic()
    workspace.runs.stop(run_id)
    until(workspace, lambda: workspace.runs.row(run_id).state == "stopped", 15)
    row = workspace.runs.row(run_id)
    assert row.result["checkpoint_step"] == curve(workspace, run_id)[-1][0]
    assert time.monotonic() - began < 15
    until(workspace, lambda: said("squeue", "-h", "-o", "%A") == "", 15)


def test_a_run_that_waits_is_stopped_at_once(workspace):
    blocked = said("sbatch", "--parsable", *WHOLE_NODE[:-1], "--wrap=sleep 60")
    run_id = training(workspace, "trainer.max_steps=400", *ON_SLURM)
    until(workspace, lambda: workspace.runs.get(run_id).progress.startswith("waiting: "), 30)
    workspace.runs.stop(run_id)
    until(workspace, lambda: workspace.runs.row(run_id).state == "stopped", 15)
    said("scancel", blocked)
    until(workspace, lambda: said("squeue", "-h", "-o", "%A") == "", 40)


def test_preempted_and_out_of_time_it_goes_on_to_the_bit(workspace):
    whole = done(workspace, training(workspace, "trainer.max_steps=20"))
    run_id = training(workspace, "trainer.max_steps=20", *ON_SLURM)
    until(workspace, lambda: len(curve(workspace, run_id)) >= 3)
    said("sbatch", "--partition=urgent", *WHOLE_NODE)
    until(workspace, lambda: restarts(workspace, run_id) == 1, 60)
    until(workspace, lambda: workspace.runs.get(run_id).progress.startswith("waiting: "), 60)
    assert workspace.runs.row(run_id).state == "starting", "a run that was pre-empted has not ended"
    reached = curve(workspace, run_id)[-1][0]
    assert 3 <= reached < 20
    until(workspace, lambda: len(curve(workspace, run_id)) > reached, 120)
    # what --signal=B:TERM@... does before the time limit, in minutes at the least
    said("scancel", "--batch", "--signal=TERM", job_of(workspace, run_id))
    until(workspace, lambda: restarts(workspace, run_id) == 2, 60)
    row = done(workspace, run_id)
    assert curve(workspace, run_id) == curve(workspace, whole.id)
    assert [step for step, _ in curve(workspace, run_id)] == list(range(1, 21))
    assert model_bytes(row) == model_bytes(whole)


@pytest.mark.long
def test_a_benchmark_run_whose_every_process_is_signalled_has_the_same_verdicts(workspace):
    words = ["model=starter", "candidates=3", "limit=6"]

    def rows(run_id):
        known = known_verdicts(RunDir(Path(workspace.runs.row(run_id).folder)))
        return {key: (each.verdict.outcome, each.digest) for key, each in known.items()}

    whole = done(workspace, workspace.runs.submit(read_spec("benchmark", "demo", words)))
    shutil.rmtree(workspace.home / "verdicts")  # so that none of these is used again
    run_id = workspace.runs.submit(read_spec("benchmark", "demo", [*words, *ON_SLURM]))
    for count in (2, 8):
        until(workspace, lambda count=count: workspace.runs.row(run_id).handle and len(rows(run_id)) >= count)
        said("scancel", "--full", "--signal=TERM", job_of(workspace, run_id))  # as a pre-emption does
        until(workspace, lambda count=count: restarts(workspace, run_id) == (1 if count == 2 else 2), 60)
    done(workspace, run_id)
    assert rows(run_id) == rows(whole.id)
    assert workspace.patches.totals(run_id).outcomes == workspace.patches.totals(whole.id).outcomes


@pytest.mark.long
def test_a_real_time_limit_ends_in_a_checkpoint_and_the_run_is_interrupted_when_it_may_not_go_on(workspace):
    # in whole minutes; SLURM sends the signal up to one of them early
    limits = ["launcher.hours=0.033", "launcher.signal_s=20", "launcher.requeues=0"]
    run_id = training(workspace, "trainer.max_steps=100000", *ON_SLURM, *limits)
    until(workspace, lambda: workspace.runs.row(run_id).state not in ("queued", "starting", "running"), 200)
    row = workspace.runs.row(run_id)
    number = job_of(workspace, run_id)
    said_of_it = (
        f"its SLURM job {number} was ended by SLURM, and could not be queued again; resume continues from there"
    )
    assert (row.state, row.error) == ("interrupted", said_of_it)
    assert row.result["checkpoint_step"] == curve(workspace, run_id)[-1][0]


@pytest.mark.long
def test_a_job_that_somebody_cancels_is_not_revived(workspace):
    run_id = training(workspace, "trainer.max_steps=100000", *ON_SLURM)
    until(workspace, lambda: len(curve(workspace, run_id)) >= 1)
    number = job_of(workspace, run_id)
    said("scancel", number)
    until(workspace, lambda: workspace.runs.row(run_id).state == "interrupted", 60)
    assert f"its SLURM job {number} was cancelled, and not by the studio" in workspace.runs.row(run_id).error
    assert said("squeue", "-h", "-o", "%A") == ""


@pytest.mark.long
def test_a_node_that_does_not_see_the_folder_is_named(tmp_path):
    launcher, run = Slurm(Slurm.Params(gpus=0, cpus=1, options="--hold")), tmp_path / "7"
    run.mkdir()
    handle = launcher.submit(run, {})
    assert launcher.find(run) == handle
    assert launcher.is_alive(handle) == "pending"
    assert launcher.place(handle).reason == "JobHeldUser"
    for path in sorted(run.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    run.rmdir()
    said("scontrol", "release", handle.partition(":")[0])
    deadline = time.monotonic() + 30
    while launcher.is_alive(handle) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert "does not see the run's folder, or may not write to it; give the studio a --home" in launcher.interruption(
        handle
    )


@pytest.mark.long
def test_a_stranger_with_the_job_s_number_is_neither_taken_for_it_nor_ended(tmp_path):
    number = said("sbatch", "--parsable", "--output=/dev/null", "--job-name=mine", "--wrap=sleep 30")
    launcher, handle = Slurm(), f"{number}:{name_of(tmp_path)}"
    assert launcher.is_alive(handle) is False
    for force in (False, True):
        launcher.stop(handle, tmp_path, force=force)
    time.sleep(1)
    assert said("squeue", "-h", "-j", number, "-o", "%T") in ("PENDING", "RUNNING")
    assert launcher.interruption(handle) == "its SLURM job ended while no studio was open, and SLURM has forgotten how"
    said("scancel", number)


def test_doctor_names_the_partitions():
    assert described() == (True, "partitions: normal*, urgent")


def test_shards_as_jobs_come_to_the_rows_of_one_worker(workspace):
    bugs = ['benchmark.languages=["python"]', "limit=4", "candidates=2", "model=starter-adapter"]
    ids = [workspace.runs.submit(read_spec("benchmark", "", [*bugs, *more])) for more in ([*ON_SLURM, "shards=2"], [])]
    until(workspace, lambda: all(workspace.runs.row(each).state in ENDED for each in ids), 600)
    jobs, here = (RunDir(Path(workspace.runs.row(each).folder)) for each in ids)
    assert [workspace.runs.row(each).state for each in ids] == ["done", "done"], jobs.log.read_text()[-2000:]
    verdicts = [
        {key: (each.digest, each.same_as, each.verdict.outcome) for key, each in known_verdicts(run).items()}
        for run in (jobs, here)
    ]
    assert verdicts[0] == verdicts[1]
    assert len(verdicts[0]) == 4 * (2 + 2)
    assert "shard 2: SLURM job" in jobs.log.read_text()
