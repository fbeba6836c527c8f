"""Jobs of SLURM: what is asked of it, what their scripts hold, and where runs are that wait for it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest

from engine import requeued
from engine.control.workspace import Workspace
from engine.domain import Bug, Outcome, Patch, Span, Verdict
from engine.errors import UserError
from engine.judging import Judge
from engine.launchers import slurm_jobs
from engine.launchers.local import Local
from engine.launchers.named import name_of
from engine.launchers.slurm import RESOURCE, Slurm, described, unavailable
from engine.plugins import LAUNCHERS
from engine.spec_files import read_spec

SECRET = "sk-only-in-the-environment"


def slurm(**settings):
    return Slurm(Slurm.Params(**settings))


@pytest.fixture
def sbatch(tmp_path, monkeypatch):
    """A command sbatch that keeps what it was given: its arguments, its script and the environment's file."""
    pytest.importorskip("submitit")
    commands, kept = tmp_path / "bin", tmp_path / "kept"
    commands.mkdir()
    kept.mkdir()
    copied = 'cp "$(sed -n "s/^#SBATCH --export-file=//p" "$1" | tr -d "\'")" "$KEPT/environment"'
    (commands / "sbatch").write_text(
        f'#!/bin/sh\necho "$@" > "$KEPT/arguments"\ncp "$1" "$KEPT/script"\n{copied}\n'
        'stat -c %a "$(sed -n "s/^#SBATCH --export-file=//p" "$1")" > "$KEPT/mode"\necho Submitted batch job 17\n'
    )
    (commands / "srun").write_text("#!/bin/sh\n")
    for command in commands.iterdir():
        command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("KEPT", str(kept))
    return kept


def test_what_is_asked_of_slurm(sbatch, tmp_path):
    (tmp_path / "7").mkdir()
    settings = {
        "partition": "gpu",
        "account": "lab",
        "qos": "high",
        "hours": 1.5,
        "gpus": 2,
        "cpus": 8,
        "memory_gib": 0.5,
    }
    launcher = slurm(**settings, options="--constraint='a100|h100' --exclusive", signal_s=60)
    assert launcher.submit(tmp_path / "7", {}) == f"17:{name_of(tmp_path / '7')}"
    script = (sbatch / "script").read_text()
    asked = {line.removeprefix("#SBATCH --") for line in script.splitlines() if line.startswith("#SBATCH")}
    assert asked >= {
        "partition=gpu", "account=lab", "qos=high", "time=90", "gpus-per-node=2", "cpus-per-task=8", "mem=512M",
        "constraint='a100|h100'", "exclusive", "signal=B:TERM@60", "requeue", "nodes=1", "open-mode=append",
        f"output={tmp_path}/7/log.txt", f"chdir={tmp_path}/7", f"job-name={name_of(tmp_path / '7')}",
    }  # fmt: skip
    assert not [line for line in asked if line.startswith(("error=", "wckey=", "array="))]


def test_the_script_is_correct_and_words_in_it_are_quoted(sbatch, tmp_path):
    folder = tmp_path / "it's $(touch stolen)"
    folder.mkdir()
    slurm(modules="cuda/12.4 'a b'", prefix="apptainer exec 'my image.sif'", python="python3.12").submit(folder, {})
    script = (sbatch / "script").read_text()
    subprocess.run(["bash", "-n", str(sbatch / "script")], check=True)
    assert "module load cuda/12.4 'a b' || exit 1" in script
    assert "env \"$mark\" apptainer exec 'my image.sif' python3.12 -P -m engine.work '" in script
    said = subprocess.run(
        ["bash", "-c", script.partition("export REPAIR")[0].partition("# command")[2] + 'echo "$folder"'],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert said.stdout.strip() == str(folder)
    assert not (tmp_path / "stolen").exists()


def test_a_secret_is_in_no_command_line_script_or_log(sbatch, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("SLURM_JOB_ID", "3")  # the studio runs in a job itself
    run = tmp_path / "7"
    run.mkdir()
    slurm().submit(run, {"WANDB_API_KEY": "", "LINES": "one\ntwo"})
    given = dict(each.split("=", 1) for each in (sbatch / "environment").read_text().split("\0") if each)
    assert (given["OPENAI_API_KEY"], given["WANDB_API_KEY"], given["LINES"]) == (SECRET, "", "one\ntwo")
    assert "SLURM_JOB_ID" not in given
    assert (sbatch / "mode").read_text() == "600\n"
    left = [path for path in (*run.rglob("*"), sbatch / "script", sbatch / "arguments") if path.is_file()]
    assert left
    assert [path for path in left if SECRET in path.read_text()] == []
    assert list((run / "slurm").glob(".environment-*")) == []


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("partition", "gpu\nrm -rf x", "should be a name as in SLURM's own commands"),
        ("account", "--uid=root", "should be a name as in SLURM's own commands"),
        ("options", "--output=/etc/passwd", "--output is set by the studio"),
        ("options", "--mem=3G", "--mem is set by the studio, or by a setting of its own"),
        ("options", "--outpu=/etc/passwd", "--outpu is set by the studio"),
        ("options", "--clusters=other", "--clusters is set by the studio"),
        ("options", "-p gpu", "should be options such as --constraint=a100"),
        ("options", "--comment='a", "should be words as in a shell"),
        ("prefix", "one\nrm -rf x", "should be one line"),
        ("hours", 0, "greater than 0"),
        ("hours", 1e300, "less than or equal to"),
        ("memory_gib", 1e308, "less than or equal to"),
        ("cpus", 10**20, "less than or equal to"),
    ],
)
def test_settings_that_no_script_may_hold_are_refused(setting, value, said):
    with pytest.raises(ValueError, match=said):
        Slurm.Params(**{setting: value})


@pytest.mark.parametrize(("code", "said"), [("127:0", "could not start the worker, see the run's log"), ("137:0", "")])
def test_a_job_that_cannot_start_its_worker_is_not_taken_for_a_killed_one(tmp_path, monkeypatch, code, said):
    for name, answer in (("squeue", "17|one|FAILED|n1|NonZeroExitCode"), ("scontrol", f"JobId=17 ExitCode={code}")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{answer}'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    why = slurm().interruption("17:one")
    assert said in why
    assert bool(why) == bool(said)


def test_without_slurm_or_submitit_it_says_how_to_get_them(home, monkeypatch):
    monkeypatch.setattr("engine.launchers.slurm.shutil.which", lambda name: None)
    workspace = Workspace(home)
    with pytest.raises(UserError, match="there is no sbatch here; start the studio on a login node"):
        workspace.runs.submit(read_spec("benchmark", "", ["launcher=slurm"]))
    assert not workspace.runs.list()
    workspace.close()
    assert described() == (False, unavailable())
    monkeypatch.setattr("engine.launchers.slurm.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("engine.launchers.slurm.find_spec", lambda name: None)
    assert unavailable() == "slurm needs submitit: pip install 'repair-studio[slurm]'"


def test_many_jobs_are_active_at_a_time_and_the_local_queue_waits_for_none(home, monkeypatch):
    started = []
    for kind in (Local, Slurm):
        monkeypatch.setattr(kind, "submit", lambda self, *_: started.append(self.name) or f"{len(started)}:x")
        monkeypatch.setattr(kind, "is_alive", lambda self, handle: True)
        monkeypatch.setattr(kind, "check", lambda self, spec: None)
    monkeypatch.setattr(Slurm, "place", lambda self, handle: None)
    workspace = Workspace(home)
    remote = ["launcher=slurm", "launcher.most_active=2"]
    runs = [workspace.runs.submit(read_spec("benchmark", "", words)) for words in (remote, remote, remote, [], [])]
    for _ in range(2):
        workspace.tick()
    states = [workspace.runs.row(each).state for each in runs]
    assert states == ["starting", "starting", "queued", "starting", "queued"]
    assert slurm(most_active=2).room() == {RESOURCE: 2.0}
    workspace.close()


def test_a_controller_that_does_not_answer_is_no_dead_worker(monkeypatch, tmp_path):
    tried = "squeue: error: fetch_config: DNS SRV lookup failed\nsqueue: fatal: Unable to contact slurm controller"
    (tmp_path / "squeue").write_text(f"#!/bin/sh\necho '{tried}' >&2\nexit 1\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    slurm_jobs.LISTING.forget()
    with pytest.raises(OSError, match="squeue does not answer: fatal: Unable to contact slurm controller$"):
        slurm().is_alive("17:name")


def test_many_questions_are_one_question_to_the_controller(monkeypatch, tmp_path):
    counted = tmp_path / "asked"
    (tmp_path / "squeue").write_text(f"#!/bin/sh\necho >> {counted}\necho '17|name|PENDING||Resources'\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(slurm_jobs, "FRESH_S", 1e9)
    slurm_jobs.LISTING.forget()
    launcher = LAUNCHERS.create(LAUNCHERS.params("slurm"))
    assert [launcher.is_alive("17:name") for _ in range(50)] == ["pending"] * 50
    assert launcher.place("17:name").reason == "Resources"
    assert len(counted.read_text()) == 1
    assert launcher.is_alive("17:of another cluster") is False
    slurm_jobs.LISTING.forget()


@pytest.mark.parametrize("fails", [False, True])
def test_threads_that_ask_at_once_wait_for_one_answer(monkeypatch, tmp_path, fails):
    counted = tmp_path / "asked"
    end = "exit 1" if fails else "echo '17|name|RUNNING|node3|None'"
    (tmp_path / "squeue").write_text(f"#!/bin/sh\necho >> {counted}\nsleep 0.3\n{end}\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    slurm_jobs.LISTING.forget()
    barrier = threading.Barrier(8)

    def ask(_):
        barrier.wait()
        try:
            return slurm().is_alive("17:name")
        except OSError:
            return None

    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(ask, range(8))] == [None if fails else True] * 8
    assert len(counted.read_text()) == 1
    slurm_jobs.LISTING.forget()


@pytest.mark.parametrize(
    ("said", "is_sent"),
    [
        ("", True),  # as --quiet says that it has ended
        ("scancel: error: Kill job error on job id 17: Invalid job id specified", True),
        ("scancel: error: Unable to contact slurm controller (connect failure)", False),
    ],
)
def test_a_stop_that_slurm_did_not_take_is_asked_for_again(monkeypatch, tmp_path, said, is_sent):
    (tmp_path / "squeue").write_text("#!/bin/sh\necho '17|name|RUNNING|node3|None'\n")
    (tmp_path / "scancel").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    for name in ("squeue", "scancel"):
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with nullcontext() if is_sent else pytest.raises(OSError, match="scancel does not answer: .*Unable to contact"):
        slurm().stop("17:name", tmp_path, force=False)


def test_only_a_user_ends_a_run_that_its_scheduler_starts_again(tmp_path, monkeypatch):
    assert not requeued.goes_on(tmp_path), "nobody would start it again"
    monkeypatch.setenv(requeued.STARTS_AGAIN, "yes")
    assert requeued.goes_on(tmp_path)
    requeued.ask_to_stop(tmp_path)
    assert not requeued.goes_on(tmp_path)
    requeued.begin(tmp_path)
    assert requeued.goes_on(tmp_path)


@pytest.fixture
def noticing(monkeypatch):
    """This process notices signals as a worker does that its scheduler starts again."""
    monkeypatch.setenv(requeued.STARTS_AGAIN, "yes")
    monkeypatch.setenv(requeued.NOTICED, "")
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    requeued.notice_signals()
    yield
    os.close(signal.set_wakeup_fd(-1))
    os.close(int(os.environ[requeued.NOTICED]))
    signal.signal(signal.SIGTERM, before)


class OneOutcome:
    """A benchmark whose tests end in this way; they are ended by the scheduler, or not."""

    def __init__(self, outcome, is_ended):
        self.outcome, self.is_ended = outcome, is_ended

    def version(self, bug):
        return "1"

    def evaluate(self, bug, patch, sandbox):
        if self.is_ended:
            os.kill(os.getpid(), signal.SIGTERM)
        return Verdict(self.outcome)


class NoSandbox:
    def describe(self):
        return "none"


@pytest.mark.parametrize("is_ended", [False, True])
def test_tests_that_end_with_the_worker_are_no_verdict(noticing, tmp_path, is_ended):
    bug = Bug("b", "python", "a.py", "x", "y", Span(1, 1))
    judge = Judge(OneOutcome(Outcome.TEST_FAILED, is_ended), NoSandbox(), tmp_path, 1)
    with ThreadPoolExecutor(1) as pool:
        verdict = pool.submit(judge.verdict, bug, Patch("b", "z"))
        control = pool.submit(judge.control, bug)
    if is_ended:
        assert isinstance(verdict.exception(), SystemExit)
        assert isinstance(control.exception(), SystemExit)
        assert [path for path in tmp_path.rglob("*") if path.is_file() and b"test_failed" in path.read_bytes()] == []
    else:
        assert verdict.result().outcome is Outcome.TEST_FAILED
        assert control.result().known_fix.outcome is Outcome.TEST_FAILED
