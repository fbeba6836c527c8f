"""Runs on a machine behind ssh: a real sshd on loopback, with everything carried there and brought back."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from loopback import NEEDED, WHY, Sshd
from pydantic import ValidationError
from typer.testing import CliRunner

from engine.assets import STARTER_MODEL
from engine.domain import Model
from engine.errors import OutsideFailure, UserError
from engine.fingerprint import code_version
from engine.launchers import ssh as ssh_module
from engine.launchers.brought import read_link
from engine.launchers.host import OPTIONS, Host, Unreachable
from engine.launchers.ssh import Ssh
from engine.rundir import Inputs, RunDir
from engine.shell.cli import app
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


def test_what_cannot_be_started_there_is_refused(monkeypatch):
    monkeypatch.setattr(ssh_module.shutil, "which", lambda program: f"/usr/bin/{program}")
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


def test_a_studio_that_is_being_replaced_there_says_nothing_of_its_worker(tmp_path, monkeypatch):
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text("#!/bin/sh\necho 'no such python' >&2\nexit 127\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(ssh.parent), prepend=os.pathsep)
    (tmp_path / "there.json").write_text('{"folder": "/there"}')
    handle = json.dumps({"run": str(tmp_path), "there": "/there", "worker": "boot:1:1"})
    launcher = made(host="far")
    for ask in (
        lambda: launcher.find(tmp_path),
        lambda: launcher.stop(handle, tmp_path, force=False),
        lambda: launcher.stop(handle, tmp_path, force=True),
    ):
        with pytest.raises(OSError, match="has no Repair Studio .* \\(no such python\\)"):
            ask()


@pytest.mark.parametrize("ending", ["kill -9 $$", "exit 137", "exit 255"], ids=["here", "there", "link"])
def test_what_was_killed_meanwhile_is_no_missing_studio(tmp_path, monkeypatch, ending):
    for name in ("ssh", "rsync"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{ending}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(Unreachable, match="far cannot be reached: the connection was closed"):
        made(host="far").hello()
    if "exit 137" not in ending:  # rsync has codes of its own
        with pytest.raises(Unreachable, match="far cannot be reached: the connection was closed"):
            Host("far", "python3").fetch("/there", tmp_path, ())


def test_the_host_is_a_resource_of_its_own():
    launcher = made(host="gpu1", most=3)
    assert (launcher.room(), launcher.needs()) == ({"host gpu1": 3.0}, {"host gpu1": 1.0})


# -- with a real sshd ---------------------------------------------------------------------------------------------


def run_of(folder: Path, **spec) -> RunDir:
    return RunDir.create(
        folder, {"kind": "dataset", "name": "one", **spec}, Inputs(Model("starter", "base", str(STARTER_MODEL)))
    )


@needs_sshd
def test_a_host_says_what_it_has(far):
    told = made(**far.settings()).hello()
    assert told["home"] == str(far.folder / "there")
    assert told["has_rsync"]
    assert told["cores"] == len(os.sched_getaffinity(0))


def checked(home, *overrides):
    argv = ["doctor", "--json", "--home", str(home), *(part for each in overrides for part in ("--set", each))]
    checks = json.loads(CliRunner().invoke(app, argv).output)["checks"]
    return {check["what"]: (check["has"], check["detail"]) for check in checks}


@needs_sshd
def test_doctor_asks_a_machine(far, home):
    def asked():
        return checked(home, f"launcher={json.dumps(far.settings())}")["launcher host far"]

    has, detail = asked()
    assert has
    assert detail.startswith(f"Repair Studio {code_version()} as here; ")
    far.stop()
    assert asked() == (
        False,
        f"far cannot be reached: ssh: connect to host 127.0.0.1 port {far.port}: Connection refused",
    )


def test_doctor_says_how_a_machine_is_asked(home):
    assert checked(home, "launcher=ssh")["launcher host "] == (
        False,
        "name one: --set launcher=ssh --set launcher.host=HOST",
    )
    assert "--set launcher.host=HOST" in checked(home)["ssh and rsync"][1] or NEEDED
    assert not [what for what in checked(home) if what.startswith("launcher")]


@needs_sshd
def test_another_version_or_a_missing_rsync_is_said(far, monkeypatch):
    launcher = made(**far.settings())
    told = launcher.hello()
    monkeypatch.setattr(Ssh, "hello", lambda self: {**told, "version": "0.0.9"})
    assert launcher.examined() == (
        False,
        f"Repair Studio 0.0.9 there, and {code_version()} here; install the same on both",
    )
    monkeypatch.setattr(Ssh, "hello", lambda self: {**told, "has_rsync": False})
    assert launcher.examined()[1].startswith("it has no rsync; install it there")
    assert made(**far.settings(shared=True)).examined()[0]


@needs_sshd
def test_a_host_that_cannot_be_reached_is_waited_for_and_then_said(far, tmp_path, monkeypatch):
    monkeypatch.setattr(ssh_module, "GIVE_UP_S", 1.0)
    monkeypatch.setattr(ssh_module, "RETRY_S", 0.4)
    run, launcher = run_of(tmp_path / "run"), made(**far.settings())
    far.stop()
    with pytest.raises(
        OutsideFailure, match="far cannot be reached: .*Connection refused.*; resume the run when it can be"
    ):
        launcher.submit(run.path, {})
    assert "Connection refused" in read_link(run.path).why
    handle = json.dumps({"run": str(run.path), "there": "/there", "worker": "boot:1:1"})
    assert launcher.is_alive(handle)
    assert "Connection refused" in launcher.place(handle).where
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
