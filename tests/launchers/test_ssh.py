"""Runs on a machine behind ssh: a real sshd on loopback, with everything carried there and brought back."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest
from loopback import HOST, NEEDED, WHY, Sshd
from pydantic import ValidationError

from engine.assets import STARTER_MODEL
from engine.domain import Model
from engine.errors import OutsideFailure, UserError
from engine.events import Progress
from engine.launchers import contract
from engine.launchers import host as host_module
from engine.launchers import ssh as ssh_module
from engine.launchers.brought import read_link
from engine.launchers.host import OPTIONS, Host, Unreachable
from engine.launchers.local import boot_id
from engine.launchers.ssh import Ssh
from engine.rundir import Inputs, RunDir
from engine.specs import KINDS, BenchmarkSpec, ChatSpec, DatasetSpec

needs_sshd = pytest.mark.skipif(bool(NEEDED), reason=WHY)


@pytest.fixture
def far(tmp_path):
    server = Sshd(tmp_path / "sshd")
    yield server
    server.stop()


def made(**settings) -> Ssh:
    return Ssh(Ssh.Params(**settings))


@pytest.mark.parametrize(
    "host", ["-oProxyCommand=id", "a b", "a;id", "$(id)", "a\nb", "a/b", "a:b", "@a", "a@", "a@-b", "ä", ".", "a@b@c"]
)
def test_a_host_is_neither_an_option_nor_a_command(host):
    with pytest.raises(ValidationError, match="should be a host"):
        Ssh.Params(host=host)


@pytest.mark.parametrize("host", ["gpu1", "me@gpu1", "10.0.0.7", "node-1.cluster_a.example.org", "me.you@gpu1"])
def test_a_host_of_the_configuration(host):
    assert Ssh.Params(host=host).host == host


@pytest.mark.parametrize("settings", [{"python": "-c"}, {"python": "a b"}, {"folder": "it's"}, {"folder": ""}, {"config": 'a"b'},
                                      {"environment": ["A=secret"]}, {"environment": ["1"]}, {"devices": "two"}])  # fmt: skip
def test_settings_that_would_be_misread_are_refused(settings):
    with pytest.raises(ValidationError) as refused:
        Ssh.Params(host="gpu1", **settings)
    assert "should" in str(refused.value)


def test_nothing_of_this_machine_is_lent_and_nobody_is_asked():
    told = " ".join(OPTIONS)
    for each in ("-a", "-x", "-T", "BatchMode=yes", "ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes"):
        assert each in told


def test_what_cannot_be_started_there_is_refused():
    with pytest.raises(UserError, match="host: is empty"):
        made().check(BenchmarkSpec())
    with pytest.raises(UserError, match="a loaded model is asked through its folder, which is not shared with gpu1"):
        made(host="gpu1").check(ChatSpec())
    with pytest.raises(UserError, match=r"builder\.out: would be written on gpu1"):
        made(host="gpu1").check(DatasetSpec(builder={"name": "tested_faults", "out": "/bugs"}))
    for spec in (ChatSpec(), DatasetSpec(builder={"name": "tested_faults", "out": "/bugs"})):
        made(host="gpu1", shared=True).check(spec)
    for kind in KINDS:
        if kind != "chat":
            made(host="gpu1").check(KINDS[kind](name=""))


def test_without_the_programs_it_says_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="ssh is not installed here.*apt install openssh-client rsync"):
        made(host="gpu1").check(BenchmarkSpec())


def test_the_host_is_a_resource_of_its_own():
    launcher = made(host="gpu1", most=3)
    assert (launcher.room(), launcher.needs()) == ({"host gpu1": 3.0}, {"host gpu1": 1.0})


# -- with a real sshd ---------------------------------------------------------------------------------------------


def run_of(folder: Path, **spec) -> RunDir:
    return RunDir.create(folder, {"kind": "dataset", "name": "one", **spec}, Inputs(Model("starter", "base", str(STARTER_MODEL))))


@needs_sshd
def test_a_host_says_what_it_has(far):
    told = made(**far.settings()).hello()
    assert told["home"] == str(far.folder / "there")
    assert told["has_rsync"]
    assert told["cores"] == len(os.sched_getaffinity(0))


@needs_sshd
def test_a_host_that_cannot_be_reached_is_waited_for_and_then_said(far, tmp_path, monkeypatch):
    monkeypatch.setattr(ssh_module, "GIVE_UP_S", 1.0)
    monkeypatch.setattr(ssh_module, "RETRY_S", 0.4)
    run, launcher = run_of(tmp_path / "run"), made(**far.settings())
    far.stop()
    with pytest.raises(OutsideFailure, match="far cannot be reached: .*Connection refused.*; resume the run when it can be"):
        launcher.submit(run.path, {})
    assert "Connection refused" in read_link(run.path).why
    handle = json.dumps({"run": str(run.path), "there": "/there", "worker": "boot:1:1"})
    assert launcher.is_alive(handle)
    assert "Connection refused" in launcher.unreached(handle)
    with pytest.raises(Unreachable):
        launcher.stop(handle, run.path, force=False)


@needs_sshd
@pytest.mark.parametrize(("wrong", "said"), [
    ("unknown", "launcher.host: far cannot be reached: Host key verification failed.*; try: ssh far"),
    ("stranger", "launcher.host: far cannot be reached: .*Permission denied.*; try: ssh far"),
    ("python", "launcher.python: '/nowhere/python' on far has no Repair Studio.*name the Python that has it"),
    ("empty", "launcher.python: '/usr/bin/python3' on far has no Repair Studio"),
    ("version", r"launcher.host: far has Repair Studio .*, and here is 9\.9; install the same version on both"),
    ("device", "far: launcher.devices: there is no GPU 99"),
])  # fmt: skip
def test_what_waiting_does_not_help_is_said_at_once(far, tmp_path, monkeypatch, wrong, said):
    settings = far.settings()
    if wrong == "unknown":
        far.knows_host(False)
    if wrong == "stranger":
        (far.folder / "user_key.pub").write_text("")
    if wrong == "python":
        settings["python"] = "/nowhere/python"
    if wrong == "empty":
        settings["python"] = "/usr/bin/python3"
        if subprocess.run(["/usr/bin/python3", "-P", "-c", "import pydantic"], capture_output=True).returncode == 0:
            pytest.skip("the system's Python has the studio's libraries")
    if wrong == "version":
        monkeypatch.setattr(ssh_module, "code_version", lambda: "9.9")
    if wrong == "device":
        settings["devices"] = "99"
    with pytest.raises(UserError, match=said):
        made(**settings).submit(run_of(tmp_path / "run").path, {})


@needs_sshd
@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True], ids=["carried", "shared"])
def test_the_contract_holds(far, tmp_path, shared):
    settings = far.settings(shared=shared)
    stranger = run_of(tmp_path / "stranger").path

    def mistaken(pid):
        return json.dumps({"run": str(stranger), "there": str(stranger), "worker": f"{boot_id()}:{pid}:1"})

    contract.check(lambda: made(**settings), mistaken, tmp_path / "runs")


@pytest.fixture
def endless(tmp_path):
    """A run that never ends, and the environment that it needs; all its processes are killed at the end."""
    with contract._endless(tmp_path / "endless", ignores_sigterm=False) as (run, environment):
        yield run, environment
        for process in psutil.process_iter(["cmdline"]):
            if any("/sshd/there/runs/run-" in each for each in process.info["cmdline"] or ()):
                process.kill()


def at_work(launcher, handle, run):
    return contract._at_work(run, launcher, handle)[0]


@needs_sshd
@pytest.mark.slow
def test_values_of_variables_go_nowhere_but_to_the_worker(far, endless, monkeypatch):
    run, environment = endless
    monkeypatch.setenv("MY_TOKEN", "s3cret-value")
    monkeypatch.setenv("OTHER_TOKEN", "0ther-value")
    seen, real = [], subprocess.run
    monkeypatch.setattr(host_module.subprocess, "run", lambda argv, **how: (seen.append(argv), real(argv, **how))[1])
    launcher = made(**far.settings(environment=["MY_TOKEN", "NOT_SET"]))
    handle = launcher.submit(run.path, environment)
    worker = at_work(launcher, handle, run)
    assert worker.environ()["MY_TOKEN"] == "s3cret-value"
    assert "OTHER_TOKEN" not in worker.environ()
    assert "SSH_AUTH_SOCK" not in worker.environ()
    told = "s3cret-value"
    assert told not in handle
    assert told not in json.dumps(seen)
    for process in psutil.process_iter(["cmdline"]):
        assert told not in " ".join(process.info["cmdline"] or ())
    launcher.stop(handle, run.path, force=True)
    files = [path for side in (run.path, far.folder) for path in side.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if told.encode() in path.read_bytes()] == []


@needs_sshd
@pytest.mark.slow
def test_data_goes_over_once_and_a_second_start_finds_the_worker(far, endless, tmp_path, monkeypatch):
    run, environment = endless
    carried, real = [], Host.carry
    monkeypatch.setattr(Host, "carry", lambda self, item, into: (carried.append(item.path), real(self, item, into))[1])
    launcher = made(**far.settings())
    handle = launcher.submit(run.path, environment)
    assert carried == [str(STARTER_MODEL)]
    [content] = (far.folder / "there" / "data").iterdir()
    there = Path(json.loads(handle)["there"])
    assert RunDir(there).inputs().model.path == str(content / "starter-model")
    assert RunDir(there).spec()["launcher"] == {"name": "local"}
    at_work(launcher, handle, run)
    assert launcher.submit(run.path, environment) == handle, "the answer to the first was lost"
    other = run_of(tmp_path / "other", builder={"name": "endless"}, exclude=[])
    second = launcher.submit(other.path, environment)
    assert carried == [str(STARTER_MODEL)]
    for each, folder in ((handle, run.path), (second, other.path)):
        launcher.stop(each, folder, force=True)


@needs_sshd
@pytest.mark.slow
def test_what_is_carried_is_compared_with_its_content(far, tmp_path, monkeypatch):
    data = tmp_path / "data"
    data.mkdir()
    (data / "rows").write_text("before")
    real = Host.carry

    def carry(self, item, into):
        (item.root / item.parts[0] / "rows").write_text("after")
        real(self, item, into)

    monkeypatch.setattr(Host, "carry", carry)
    run = RunDir.create(tmp_path / "run", {"kind": "dataset", "builder": {"name": "faults", "folder": str(data)}}, Inputs())
    with pytest.raises(OutsideFailure, match="data was changed while it was carried; resume the run"):
        made(**far.settings()).submit(run.path, {})
    assert list((far.folder / "there" / "data").iterdir()) == []


@needs_sshd
@pytest.mark.slow
def test_a_run_whose_folder_there_is_lost_goes_on_from_the_one_here(far, endless):
    run, environment = endless
    run.emit(Progress(1))
    (run.artifacts / "checkpoint").write_text("weights")
    launcher = made(**far.settings())
    handle = launcher.submit(run.path, environment)
    at_work(launcher, handle, run)
    there = RunDir(Path(json.loads(handle)["there"]))
    assert (there.artifacts / "checkpoint").read_text() == "weights"
    assert [event.seq for event in there.events().events][:2] == [1, 2]
    assert not (there.path / "link.json").exists()
    launcher.stop(handle, run.path, force=True)


@needs_sshd
@pytest.mark.slow
def test_a_stop_is_asked_for_again_until_the_link_is_back(far, endless):
    run, environment = endless
    launcher = made(**far.settings())
    handle = launcher.submit(run.path, environment)
    worker = at_work(launcher, handle, run)
    far.stop()
    with pytest.raises(Unreachable):
        launcher.stop(handle, run.path, force=False)
    time.sleep(0.5)
    assert launcher.is_alive(handle)
    assert worker.is_running()
    assert "Connection refused" in launcher.unreached(handle)
    far.start()
    began = time.monotonic()
    launcher.stop(handle, run.path, force=False)
    while launcher.is_alive(handle):
        assert time.monotonic() - began < 15, "a stop takes longer than 15 s"
        time.sleep(0.1)
    assert launcher.unreached(handle) == ""
    assert run.events().events[-1].payload.state == "stopped"


@needs_sshd
@pytest.mark.slow
def test_two_studios_bring_each_line_once(far, endless):
    run, environment = endless
    launcher = made(**far.settings(every_s=0.2))
    handle = launcher.submit(run.path, environment)
    at_work(launcher, handle, run)
    there = RunDir(Path(json.loads(handle)["there"]))
    stopped = threading.Event()

    def studio():
        while not stopped.is_set():
            made(**far.settings(every_s=0.2)).is_alive(handle)

    studios = [threading.Thread(target=studio) for _ in range(3)]
    for each in studios:
        each.start()
    time.sleep(3)
    launcher.stop(handle, run.path, force=False)
    time.sleep(3)
    stopped.set()
    for each in studios:
        each.join()
    while launcher.is_alive(handle):
        time.sleep(0.1)
    assert run.events_path.read_bytes() == there.events_path.read_bytes()
    assert run.log.read_bytes() == there.log.read_bytes()
