"""A real Ray cluster of a test's own: two nodes on this machine, on the loopback interface, of one processor each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[1]
STARTS_S, ENDS_S = 120, 30
NEEDED_BYTES = 2 << 30
# Ray's own cluster for tests, in a process of its own since it changes the environment. It does one command a line, and
# ends its nodes when its input ends, so also when pytest is killed.
PROGRAM = """
import json, socket, sys
from ray.cluster_utils import Cluster

def free():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]

def of(name):
    small = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 80 << 20, "include_log_monitor": False}
    return {**small, "resources": {name: 1}, "min_worker_port": 0, "max_worker_port": 0}

port = free()
head = {"include_dashboard": True, "dashboard_host": "127.0.0.1", "dashboard_port": port,
        "dashboard_agent_listen_port": free()}
cluster = Cluster(initialize_head=True, head_node_args={**of("one"), **head})
nodes = {"two": cluster.add_node(**of("two"))}
print(json.dumps({"address": f"http://127.0.0.1:{port}"}), flush=True)
for line in sys.stdin:
    word, name = line.split()
    if word == "kill":
        cluster.remove_node(nodes.pop(name), allow_graceful=False)
    else:
        nodes[name] = cluster.add_node(**of(name))
    print(json.dumps({"nodes": [node.node_id for node in nodes.values()]}), flush=True)
cluster.shutdown()
"""


@dataclass(frozen=True)
class RunningRay:
    """The cluster's dashboard, and commands to the process that has its nodes; node one is the head."""

    address: str
    folder: Path
    process: subprocess.Popen[str]

    def kill(self, name: str) -> None:
        """End Ray on a node, where a worker goes on for a moment."""
        self.said(f"kill {name}")

    def lose(self, name: str, run: Path) -> None:
        """As if the node's machine was lost with this run's worker: nothing on it can say a last word."""
        gone = [*self.processes("JobSupervisor"), *self.processes(str(run))]  # the first would tell how a worker ended
        self.kill(name)
        for each in gone:
            with suppress(psutil.NoSuchProcess):
                each.kill()

    def add(self, name: str) -> None:
        self.said(f"add {name}")

    def said(self, words: str) -> dict[str, object]:
        print(words, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def processes(self, words: str = "") -> list[psutil.Process]:
        """All that belong to the cluster, the workers on its nodes too; with `words`: whose command line has them."""
        found = []
        for each in psutil.process_iter():
            with suppress(psutil.Error):
                if each.pid != os.getpid() and each.environ().get("RAY_TMPDIR") == str(self.folder):
                    found += [each] if words in " ".join(each.cmdline()) else []
        return found


def missing() -> str:
    """Why no cluster can be started here; empty if one can."""
    if find_spec("ray") is None:
        return "Ray is not installed; pip install 'repair-studio[ray]'"
    free = psutil.virtual_memory().available
    return "" if free > NEEDED_BYTES else f"two nodes of Ray need 2 GiB of memory, and {free / (1 << 30):.1f} are free"


@contextmanager
def running():
    """The cluster; all that it has started is ended."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        own = {
            "PYTHONPATH": path,
            "RAY_TMPDIR": name,
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        with (folder / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM],
                env={**os.environ, **own, "OMP_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        cluster = RunningRay("", folder, process)
        late = threading.Timer(STARTS_S, process.kill)
        late.start()
        try:
            first = process.stdout.readline()
            late.cancel()
            assert first, f"Ray does not start: {(folder / 'log.txt').read_text(errors='replace')[-3000:]}"
            yield RunningRay(json.loads(first)["address"], folder, process)
        finally:
            late.cancel()
            for each in cluster.processes():
                with suppress(psutil.Error):
                    each.resume()
            process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(ENDS_S)
            for each in cluster.processes():
                with suppress(psutil.Error):
                    each.kill()
            process.wait()


@pytest.fixture(scope="module")
def ray():
    """A cluster for the tests of a module; skips with the reason where none can be started."""
    if why := missing():
        pytest.skip(why)
    with running() as cluster:
        yield cluster
