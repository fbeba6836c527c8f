"""Jobs of Ray: what is asked of a cluster, what it is not told, and what counts as the end of a run."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

import pytest
from ray_dashboard import Dashboard

from engine import requeued
from engine.control.workspace import Workspace
from engine.errors import OutsideFailure, UserError
from engine.launchers import ray_jobs, ray_worker
from engine.launchers.named import name_of
from engine.launchers.ray import RESOURCE, Ray, described
from engine.launchers.ray_folder import BEGUN, KILL, SECRETS, UNSEEN, Note, begun, read_note
from engine.launchers.ray_jobs import LOST, Cluster, NoAnswer
from engine.spec_files import read_spec

SECRET = "hf_only-in-a-file-of-mode-0600"


@pytest.fixture
def dashboard(monkeypatch):
    monkeypatch.setattr(ray_jobs, "FRESH_S", 1e-9)
    for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    running = Dashboard()
    yield running
    running.server.shutdown()


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "home" / "runs" / "7"
    folder.mkdir(parents=True)
    return folder


def launcher(dashboard, **settings):
    return Ray(Ray.Params(address=dashboard.address, **settings))


def test_what_is_asked_of_ray(dashboard, tmp_path):
    folder = tmp_path / "it's $(touch stolen)"
    folder.mkdir()
    (tmp_path / "env.json").write_text('{"pip": ["regex"], "env_vars": {"A": "b"}}')
    settings = {"cpus": 2, "gpus": 0.5, "memory_gib": 0.5, "resources": ["a100=1", "disk=0.5"], "python": "env python3"}
    own = {"runtime_env": str(tmp_path / "env.json"), "env_vars": ["HF_HOME=/data=1"]}
    launcher(dashboard, **settings, **own).submit(folder, {})
    [sent] = dashboard.sent
    job = f"{name_of(folder)}-1"
    asked = {name: value for name, value in sent.items() if name not in ("entrypoint", "runtime_env")}
    assert asked == {
        "submission_id": job, "entrypoint_num_cpus": 2, "entrypoint_num_gpus": 0.5, "entrypoint_memory": 1 << 29,
        "entrypoint_resources": {"a100": 1.0, "disk": 0.5},
    }  # fmt: skip
    variables = {"A": "b", "HF_HOME": "/data=1", "RAY_JOB_STOP_WAIT_TIME_S": "660"}
    assert sent["runtime_env"] == {"pip": ["regex"], "env_vars": variables}
    words = shlex.split(sent["entrypoint"])
    module = "engine.launchers.ray_worker"
    assert words == ["exec", "env", "python3", "-P", "-m", module, str(folder), job, "no"]


def test_a_secret_is_in_a_file_of_this_user_and_in_no_request(dashboard, run, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    launcher(dashboard, environment=["HF_TOKEN", "NOT_SET"]).submit(run, {"WANDB_API_KEY": ""})
    path = run / SECRETS
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {"HF_TOKEN": SECRET, "WANDB_API_KEY": "", "CUDA_VISIBLE_DEVICES": ""}
    assert SECRET not in json.dumps(dashboard.sent)
    assert [each for each in run.iterdir() if each != path and SECRET in each.read_text()] == []


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("cpus", 1e300, "less than or equal to"),
        ("memory_gib", 1e308, "less than or equal to"),
        ("address", "ray://head:10001", "the address of the cluster's dashboard such as http://head:8265"),
        ("address", "http://me:secret@head:8265", "without a user name"),
        ("resources", ["a100"], "should be a resource of the cluster and a number, as in a100=1"),
        ("resources", ["a100=-1"], "should be a resource of the cluster and a number"),
        ("resources", ["a100=nan"], "should be a resource of the cluster and a number"),
        ("env_vars", ["HF_HOME"], "should be a variable and its value"),
        ("env_vars", ["HF_TOKEN=hf_abc"], "HF_TOKEN looks like a secret, .* name it in launcher.environment"),
        ("env_vars", ["OPENAI_API_KEY=x"], "looks like a secret"),
        ("environment", ["HF_TOKEN=hf_abc"], "should be the name of an environment variable, and not its value"),
        ("python", "'python", "should be words as in a shell"),
        ("cpus", 0, "greater than 0"),
    ],
)
def test_wrong_settings_are_refused(setting, value, said):
    with pytest.raises(ValueError, match=said) as refused:
        Ray.Params(**{setting: value})
    assert "hf_abc" not in str(refused.value).partition("[type")[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "it should be one JSON object"),
        ("{", "it cannot be read"),
        ('{"working_dir": "."}', "working_dir is not used"),
        ('{"env_vars": {"MY_SECRET": "x"}}', "MY_SECRET looks like a secret"),
        ('{"env_vars": {"A": 1}}', "env_vars should be names with texts"),
    ],
)
def test_a_wrong_runtime_environment_is_refused_before_anything_is_asked(dashboard, tmp_path, text, said):
    (tmp_path / "env.json").write_text(text)
    with pytest.raises(UserError, match=said):
        launcher(dashboard, runtime_env=str(tmp_path / "env.json")).check(read_spec("benchmark", "", []))


def test_without_a_cluster_or_ray_it_says_how_to_get_them(home, monkeypatch, dashboard):
    workspace = Workspace(home)
    with pytest.raises(UserError, match=r"no Ray cluster is named; start one with: ray start --head"):
        workspace.runs.submit(read_spec("benchmark", "", ["launcher=ray"]))
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    with pytest.raises(UserError, match="RAY_ADDRESS in the environment is 'auto', which is not the address"):
        workspace.runs.submit(read_spec("benchmark", "", ["launcher=ray"]))
    monkeypatch.delenv("RAY_ADDRESS")
    monkeypatch.setattr("engine.launchers.ray.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs Ray: pip install 'repair-studio\[ray\]'"):
        workspace.runs.submit(read_spec("benchmark", "", ["launcher=ray", "launcher.address=local"]))
    assert not workspace.runs.list()
    workspace.close()
    has, said = described()
    assert not has
    assert "not installed: pip install 'repair-studio[ray]'" in said
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", dashboard.address)
    assert described() == (
        True,
        said.partition(";")[0] + f"; Ray 2.60.0 at {dashboard.address}; nodes: 1; CPU 8, GPU 0",
    )


def test_a_named_address_is_used_whatever_the_environment_says(dashboard, run, monkeypatch):
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "http://127.0.0.1:9")
    launcher(dashboard).submit(run, {})
    assert read_note(run).address == dashboard.address
    assert len(dashboard.sent) == 1


def test_a_token_is_sent_only_where_the_user_wants_it(dashboard, monkeypatch, tmp_path):
    (tmp_path / "token").write_text("abc\n")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    assert ray_jobs.token() == ""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    assert Cluster(dashboard.address, ray_jobs.token()).version() == "2.60.0"
    assert dashboard.headers[-1]["Authorization"] == "Bearer abc"


def test_a_job_is_found_again_and_never_given_twice(dashboard, run):
    own = launcher(dashboard)
    assert own.find(run) == ""
    handle = own.submit(run, {})
    assert own.find(run) == handle
    assert own.submit(run, {}) == handle, "it has not ended"
    assert len(dashboard.sent) == 1
    dashboard.becomes(read_note(run).job, "SUCCEEDED")
    assert own.find(run) == ""
    assert own.is_alive(handle) is False
    own.submit(run, {})
    assert [each["submission_id"] for each in dashboard.sent] == [f"{name_of(run)}-1", f"{name_of(run)}-2"]


def test_a_name_that_was_used_is_passed_over_and_a_lost_answer_is_no_failure(dashboard, run):
    dashboard.becomes(f"{name_of(run)}-1", "SUCCEEDED")
    dashboard.loses_answers = True
    launcher(dashboard).submit(run, {})
    assert read_note(run).job == f"{name_of(run)}-2"


def test_a_refused_job_says_ray_s_words_and_leaves_no_secret(dashboard, run):
    dashboard.refusal = "label selector is wrong"
    with pytest.raises(UserError, match="Ray does not take the job: ValueError: label selector is wrong"):
        launcher(dashboard).submit(run, {})
    assert not (run / SECRETS).exists()


def begin(run, host="node3"):
    (run / BEGUN).write_text(json.dumps({"job": read_note(run).job, "host": host}))


def test_a_cluster_that_does_not_answer_changes_nothing(dashboard, run):
    own = launcher(dashboard)
    handle = own.submit(run, {})
    assert own.is_alive(handle) == "pending"
    dashboard.server.shutdown()
    dashboard.server.server_close()
    with pytest.raises(OutsideFailure, match=f"Ray does not answer at {dashboard.address}: .*; resume the run"):
        own.submit(run, {})
    assert own.is_alive(handle) == "pending"
    assert "Ray does not answer" in own.place(handle).reason
    with pytest.raises(OSError, match="does not answer"):
        own.stop(handle, run, force=False)
    begin(run)
    (run / "heartbeat").touch()
    assert own.is_alive(handle) is True
    own.stop(handle, run, force=False)
    assert (run / requeued.STOP).exists(), "a stop arrives all the same"
    os.utime(run / "heartbeat", (1, 1))
    assert own.is_alive(handle) is True, "it may be its file system that is slow"
    own.stop(handle, run, force=True)
    assert (run / KILL).exists()
    assert own.is_alive(handle) is False


@pytest.mark.parametrize(
    "other", ["[]", "[1]", '"x"', "NaN", "{}", '{"status": 5}', '{"data": 3}', '{"data": [3]}', "[" * 100_000],
    ids=lambda other: other[:16],
)  # fmt: skip
def test_another_program_at_the_address_is_no_answer_and_changes_nothing(dashboard, run, other):
    own = launcher(dashboard)
    handle = own.submit(run, {})
    dashboard.other = other
    assert own.is_alive(handle) == "pending"
    assert "not Ray's dashboard" in own.place(handle).reason
    with pytest.raises(NoAnswer, match="not Ray's dashboard"):
        own.find(run)
    if other != "{}" and "status" not in other:  # without nodes, as the first answers of a head are
        answers, said = own.examined()
        assert not answers
        assert "not Ray's dashboard" in said


@pytest.mark.parametrize("restarts", [0, 1])
def test_a_lost_node_ends_a_run_once_its_worker_is_silent(dashboard, run, restarts):
    own = launcher(dashboard, restarts=restarts)
    handle = own.submit(run, {})
    begin(run)
    (run / "heartbeat").touch()
    dashboard.becomes(
        read_note(run).job, "FAILED", error_type=LOST, message="The actor died\nbecause its node has died"
    )
    assert own.is_alive(handle) is True, "the node is cut off, and the worker writes"
    os.utime(run / "heartbeat", (1, 1))
    assert own.is_alive(handle) == ("pending" if restarts else False)
    if restarts:
        dashboard.becomes(read_note(run).job, "FAILED", error_type=LOST, message="because its node has died")
        assert own.is_alive(handle) is False
    said = f"its Ray job {read_note(run).job} lost its node {'' if restarts else 'node3'} (because its node has died)"
    assert own.interruption(handle) == said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": "SUCCEEDED"}, ""),
        ({"status": "FAILED", "error_type": "JOB_ENTRYPOINT_COMMAND_ERROR", "driver_exit_code": 137}, ""),
        ({"status": "STOPPED"}, "was stopped in Ray, and not by the studio"),
        ({"status": "FAILED", "error_type": "RUNTIME_ENV_SETUP_FAILURE", "message": "x\nno pip"}, "started (no pip)"),
        ({"status": "FAILED", "error_type": "JOB_ENTRYPOINT_COMMAND_ERROR", "driver_exit_code": 143}, "ended on node3"),
    ],
)
def test_why_a_run_was_interrupted(dashboard, run, fields, said):
    own = launcher(dashboard)
    handle = own.submit(run, {})
    begin(run)
    dashboard.jobs[read_note(run).job] = fields
    assert said in own.interruption(handle)
    assert bool(said) == bool(own.interruption(handle))
    dashboard.jobs.clear()
    assert "the Ray cluster has ended or was started again" in own.interruption(handle)


def test_ray_s_own_reason_is_shown_or_that_no_node_is_large_enough(dashboard, run):
    handle = launcher(dashboard).submit(run, {})
    assert launcher(dashboard).place(handle).reason == "Job has not started yet."
    assert launcher(dashboard, memory_gib=2048).place(handle).reason.endswith("is up has CPU 1, memory 2048 GiB")
    assert launcher(dashboard, most_active=2).room() == {RESOURCE: 2.0}


def test_a_node_tells_what_it_does_not_see_and_does_nothing_for_a_job_that_is_not_wanted(run, capsys):
    assert ray_worker.main(run, "job-1", is_kept=False) == UNSEEN
    assert "does not see the run's folder, or may not use it" in capsys.readouterr().out
    Note("job-2", number=2).write(run)
    assert ray_worker.main(run, "job-1", is_kept=False) == 0
    (run / requeued.STOP).touch()
    assert ray_worker.main(run, "job-2", is_kept=False) == 0
    assert begun(run, "job-2") == ""
    assert not (run / "log.txt").exists()


def test_the_studio_does_not_load_ray():
    code = "import sys, engine.machine, engine.launchers.ray; print([m for m in ('ray', 'httpx2') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
