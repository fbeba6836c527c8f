"""A real SLURM of a test's own: a controller and its nodes on this machine, as processes in a temporary folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
# Several nodes of one machine need a slurmd that was built with --enable-multiple-slurmd, as Debian's is.
# No accounting, no control groups. `urgent` takes the node from jobs of `normal`. A job that was put back waits for its
# old credential to expire (`cred_expire`), two minutes by default.
CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=30
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
{nodes}
PartitionName=normal Nodes=ALL Default=YES PriorityTier=1 MaxTime=INFINITE
PartitionName=urgent Nodes=ALL PriorityTier=9 MaxTime=INFINITE
"""


def missing() -> str:
    """Why no SLURM can be started here; empty if one can."""
    paths = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    absent = [name for name in NEEDED if shutil.which(name, path=paths) is None]
    if absent:
        return f"no {', '.join(absent)} here; apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "munge and SLURM are started as root"


@contextmanager
def running(nodes=1):
    """The cluster's folder; its settings are named by SLURM_CONF in the environment meanwhile."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm-")))
        folder.chmod(0o755)
        names = [f"n{number}" for number in range(1, nodes + 1)]
        for name in ("munge", "state", *names):
            (folder / name).mkdir(mode=0o755)
        key = folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        host = socket.gethostname().partition(".")[0]
        config = folder / "slurm.conf"
        listed = "\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={_free()} CPUs=4 State=UNKNOWN"
            for name in names
        )
        config.write_text(CONFIG.format(folder=folder, host=host, port=_free(), nodes=listed))
        places = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{option}={folder / 'munge' / name}" for option, name in places.items()]
        for command in (
            ["munged", "--foreground", "--force", "--num-threads=2", *options],
            ["slurmctld", "-D", "-f", str(config)],
            *(["slurmd", "-D", "-N", name, "-f", str(config)] for name in names),
        ):
            _begin(stack, command, folder)
        before = os.environ.get("SLURM_CONF")
        os.environ["SLURM_CONF"] = str(config)
        stack.callback(lambda: os.environ.pop("SLURM_CONF") if before is None else os.environ.update(SLURM_CONF=before))
        stack.callback(_all_ended)
        _wait_until(lambda: said("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * 2 * nodes, folder)
        yield folder


@pytest.fixture(scope="module")
def slurm():
    """A cluster for the tests of a module; skips with the reason where none can be started."""
    if why := missing():
        pytest.skip(why)
    with running() as folder:
        yield folder


@pytest.fixture(scope="module")
def two_nodes():
    """The same with two nodes."""
    if why := missing():
        pytest.skip(why)
    with running(nodes=2) as folder:
        yield folder


def said(*command: str) -> str:
    """What a command of SLURM prints; empty while it fails."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _free() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def _begin(stack: ExitStack, command: list[str], folder: Path) -> None:
    with (folder / f"{command[0]}.out").open("ab") as out:
        path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
        process = subprocess.Popen(
            [str(shutil.which(command[0], path=path)), *command[1:]],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    stack.callback(_ended, process)
    if command[0] == "munged":
        _wait_until((folder / "munge" / "socket").exists, folder)


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _all_ended() -> None:
    """End every job, so that none goes on without its node."""
    said("scontrol", "update", "PartitionName=normal", "State=UP")
    for number in said("squeue", "-h", "-o", "%A").split():
        said("scancel", "--signal=KILL", "--full", number)
        said("scancel", number)
    deadline = time.monotonic() + 20
    while said("squeue", "-h", "-o", "%A") and time.monotonic() < deadline:
        time.sleep(0.2)


def _wait_until(holds, folder: Path) -> None:
    deadline = time.monotonic() + 40
    while not holds():
        logs = "".join(path.read_text(errors="replace")[-1500:] for path in folder.glob("*.[ol][ou][tg]"))
        assert time.monotonic() < deadline, f"SLURM does not start: {logs}"
        time.sleep(0.2)
