"""Workers on a machine behind ssh, a real sshd on loopback: started, found, stopped, and given what they need."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest
from loopback import NEEDED, WHY, Sshd

from engine.assets import STARTER_MODEL
from engine.domain import Model
from engine.errors import OutsideFailure
from engine.events import Progress
from engine.launchers import contract
from engine.launchers import host as host_module
from engine.launchers.host import Host, Unreachable
from engine.launchers.local import boot_id
from engine.launchers.ssh import Ssh
from engine.rundir import Inputs, RunDir

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(NEEDED), reason=WHY)]


@pytest.fixture
def far(tmp_path):
    server = Sshd(tmp_path / "sshd")
    yield server
    server.stop()


def made(**settings) -> Ssh:
    return Ssh(Ssh.Params(**settings))


def run_of(folder: Path, **spec) -> RunDir:
    spec = {"kind": "dataset", "name": "one", **spec}
    return RunDir.create(folder, spec, Inputs(Model("starter", "base", str(STARTER_MODEL))))


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


@pytest.fixture
def agent(tmp_path, monkeypatch):
    """An agent, which the user's configuration would forward."""
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    while not socket.exists():
        time.sleep(0.05)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    yield
    process.kill()
    process.wait()


def test_values_of_variables_go_nowhere_but_to_the_worker(far, agent, endless, monkeypatch):
    run, environment = endless
    monkeypatch.setenv("MY_TOKEN", "s3cret-value")
    monkeypatch.setenv("OTHER_TOKEN", "0ther-value")
    seen, real = [], subprocess.Popen
    monkeypatch.setattr(host_module.subprocess, "Popen", lambda argv, **how: (seen.append(argv), real(argv, **how))[1])
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


@pytest.mark.long
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


@pytest.mark.long
def test_what_is_carried_is_compared_with_its_content(far, tmp_path, monkeypatch):
    data = tmp_path / "data"
    data.mkdir()
    (data / "rows").write_text("before")
    real = Host.carry

    def carry(self, item, into):
        (item.root / item.parts[0] / "rows").write_text("after")
        real(self, item, into)

    monkeypatch.setattr(Host, "carry", carry)
    run = RunDir.create(
        tmp_path / "run", {"kind": "dataset", "builder": {"name": "faults", "folder": str(data)}}, Inputs()
    )
    with pytest.raises(OutsideFailure, match="data was changed while it was carried; resume the run"):
        made(**far.settings()).submit(run.path, {})
    assert list((far.folder / "there" / "data").iterdir()) == []


@pytest.mark.long
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


@pytest.mark.long
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
    assert "Connection refused" in launcher.place(handle).where
    far.start()
    began = time.monotonic()
    launcher.stop(handle, run.path, force=False)
    while launcher.is_alive(handle):
        assert time.monotonic() - began < 15, "a stop takes longer than 15 s"
        time.sleep(0.1)
    assert launcher.place(handle).where == f"far:{json.loads(handle)['there']}"
    assert run.events().events[-1].payload.state == "stopped"


@pytest.mark.long
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


@pytest.mark.long
def test_a_machine_that_does_not_answer_is_noticed(far, endless):
    run, environment = endless
    launcher = made(**far.settings())
    handle = launcher.submit(run.path, environment)
    at_work(launcher, handle, run)
    far.suspend()
    time.sleep(0.5)
    began = time.monotonic()
    assert launcher.is_alive(handle)
    assert time.monotonic() - began < 20
    assert "timed out" in launcher.place(handle).where
    far.stop()
    far.start()
    time.sleep(0.5)
    assert launcher.is_alive(handle)
    assert launcher.place(handle).where == f"far:{json.loads(handle)['there']}"
    launcher.stop(handle, run.path, force=True)
