"""Nothing outside the sandbox can be reached: network, files, environment, processes; nothing survives the runner."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from engine.plugins import SANDBOXES
from engine.sandboxes import Limits
from engine.sandboxes.auto import levels
from engine.sandboxes.identity import reachable_parent

pytestmark = pytest.mark.slow  # a second or two each, and twice

PYTHON = ["/usr/bin/python3", "-I", "-S", "-B", "-c"]
ROOT = Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module", params=levels())
def sandbox(request):
    level = SANDBOXES.create(SANDBOXES.params(request.param))
    if reason := level.unavailable():
        pytest.skip(reason)
    return level


def outside(argv):
    """The same command without a sandbox: what a guard must be able to find."""
    return subprocess.run(argv, capture_output=True, timeout=20).stdout


KNOCK = """
import socket, sys
port, path, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
inet, unix, stream, datagram = socket.AF_INET, socket.AF_UNIX, socket.SOCK_STREAM, socket.SOCK_DGRAM
def pair():
    end, _ = socket.socketpair(unix, datagram)
    end.sendto(b'knock', path + '.datagram')
ways = {
    'tcp': lambda: socket.create_connection(('127.0.0.1', port), 1).send(b'knock'),
    'udp': lambda: socket.socket(inet, datagram).sendto(b'knock', ('127.0.0.1', port)),
    'path': lambda: connect(path),
    'abstract': lambda: connect('\\0' + name),
    'pair': pair,
    'dns': lambda: socket.getaddrinfo('localhost', 80),
}
def connect(address):
    end = socket.socket(unix, stream)
    end.connect(address)
    end.send(b'knock')
for way, go in ways.items():
    try:
        go()
        print(way, flush=True)
    except OSError:
        pass
"""


def test_no_listener_of_the_host_hears_anything(sandbox):
    name = f"knock-{os.getpid()}-{sandbox.name}"
    with ExitStack() as held, tempfile.TemporaryDirectory(dir=reachable_parent()) as folder:
        Path(folder).chmod(0o777)
        path = f"{folder}/socket"
        tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        tcp.bind(("127.0.0.1", 0))
        port = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", port))
        at_path, abstract, letters = (socket.socket(socket.AF_UNIX, kind) for kind in (1, 1, 2))
        at_path.bind(path)
        abstract.bind("\0" + name)
        letters.bind(path + ".datagram")
        for file in Path(folder).iterdir():
            file.chmod(0o777)
        ends = [held.enter_context(end) for end in (tcp, udp, at_path, abstract, letters)]
        for end in ends:
            end.setblocking(False)
            if end.type == socket.SOCK_STREAM:
                end.listen()
        argv = [*PYTHON, KNOCK, str(port), path, name]

        def heard():
            count = 0
            for end in ends:
                try:
                    count += 1
                    end.accept() if end.type == socket.SOCK_STREAM else end.recv(9)
                except BlockingIOError:
                    count -= 1
            return count

        assert set(outside(argv).decode().split()) >= {"tcp", "udp", "path", "abstract", "pair"}
        assert heard() == 5
        ran = sandbox.run(argv, {}, Limits())
        assert (ran.ended, ran.stdout) == ("exit", b""), ran
        assert heard() == 0


CANARY = "canary-4f1d"
READ = """
import os, sys
paths = list(sys.argv[1:]) + ['/etc/passwd', '/etc/shadow', '/etc/hostname', '/root/.netrc', '/proc/1/environ']
paths += ['/proc/1/root' + path for path in paths] + ['/proc/self/root' + path for path in paths]
for top in ('.', '/w', '/tmp', '/home', '/src', '/root', '/var'):
    for folder, _, files in os.walk(top):
        paths += [os.path.join(folder, file) for file in files]
for path in paths:
    try:
        print(path, open(path, 'rb').read(100_000)[:2000])
    except OSError:
        pass
    try:
        os.link(path, 'hard')
        os.rename(path, 'moved')
        print('moved', path)
    except OSError:
        pass
"""


def test_no_file_of_the_host_is_read(sandbox):
    with tempfile.TemporaryDirectory(dir=reachable_parent()) as name:
        folder = Path(name)
        folder.chmod(0o777)
        for path in ("repair-studio.db", ".netrc", ".ssh/id_ed25519", "fixed/gcd.py", ".git/HEAD"):
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(CANARY)
            (folder / path).chmod(0o666)
        files = [str(path) for path in folder.rglob("*") if path.is_file()]
        assert len(files) == 5
        assert (
            outside([*PYTHON, "import sys; [print(open(p).read()) for p in sys.argv[1:]]", *files]).count(b"4f1d") == 5
        )
        ran = sandbox.run([*PYTHON, READ, *files, str(ROOT / "pyproject.toml")], {"own.txt": b"own file"}, Limits())
        assert b"own file" in ran.stdout, ran  # the payload can print what it does reach
        assert CANARY.encode() not in ran.stdout
        assert b"root:x:0" not in ran.stdout
        assert b"repair-studio" not in ran.stdout.replace(b"/tmp/repair-studio-run", b"")
        assert all(Path(file).read_text() == CANARY for file in files)


ENVIRONMENT = """
import os, glob
print(dict(os.environ))
for path in ['/proc/1/environ', '/proc/1/cmdline', *glob.glob('/proc/[0-9]*/environ'), *glob.glob('/proc/[0-9]*/cmdline')]:
    try: print(open(path, 'rb').read())
    except OSError: pass
"""


def test_the_runners_environment_is_nowhere(sandbox, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", CANARY)
    assert CANARY.encode() in outside([*PYTHON, ENVIRONMENT])
    with tempfile.TemporaryDirectory(prefix="host-path-", dir=reachable_parent()) as tool:
        Path(tool).chmod(0o755)
        tools = {"tool": tool} if sandbox.name == "bubblewrap" else {}
        ran = sandbox.run([*PYTHON, ENVIRONMENT], {}, Limits(), tools=tools)
    assert b"PATH" in ran.stdout
    assert CANARY.encode() not in ran.stdout
    assert b"host-path-" not in ran.stdout


ATTACK = """
import ctypes, os, resource, signal, sys
pid, libc = int(sys.argv[1]), ctypes.CDLL(None, use_errno=True)
print(libc.ptrace(16, pid, None, None), flush=True)
for act in (
    lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3)),
    lambda: os.sched_setaffinity(pid, {0}),
    lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
    lambda: os.kill(pid, 9),
    lambda: os.kill(-1, 9),
):
    try: act()
    except OSError: pass
"""


def test_a_process_of_the_same_user_is_unharmed(sandbox, monkeypatch):
    as_user = []
    if IS_ROOT:  # whose payloads are otherwise somebody else
        monkeypatch.setattr(sandbox, "_uids", itertools.repeat(60701))
        as_user = ["setpriv", "--reuid", "60701", "--regid", "60701", "--clear-groups", "--"]

    def victim():
        return subprocess.Popen([*as_user, "/bin/sleep", "60"])

    guard, studio = victim(), victim()
    try:
        time.sleep(0.3)
        outside([*as_user, *PYTHON, ATTACK.replace("os.kill(-1, 9)", "None"), str(guard.pid)])
        assert guard.wait(5) == -signal.SIGKILL
        limits = Path(f"/proc/{studio.pid}/limits").read_text()
        sandbox.run([*PYTHON, ATTACK, str(studio.pid)], {}, Limits(wall_s=5))
        assert studio.poll() is None
        process = psutil.Process(studio.pid)
        assert (process.nice(), process.status()) == (0, "sleeping")
        assert Path(f"/proc/{studio.pid}/limits").read_text() == limits
    finally:
        for process in (guard, studio):
            process.kill()
            process.wait()


RUNNER = """
import sys
from engine.plugins import SANDBOXES
from engine.sandboxes import Limits
SANDBOXES.create(SANDBOXES.params(sys.argv[1])).run(["/usr/bin/python3", "-I", "-S", "-c", sys.argv[2], sys.argv[3]], {}, Limits(wall_s=60))
"""
STAYS = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    os.fork()\ntime.sleep(120)"


def payloads(marker):
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if marker in (process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def test_killing_the_runner_kills_every_payload(sandbox):
    marker = f"marker-{os.urandom(8).hex()}"
    folder = tempfile.mkdtemp(dir=reachable_parent())  # the dead runner cannot tidy up, so the test does
    Path(folder).chmod(0o755)
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER, sandbox.name, STAYS, marker], cwd=ROOT, env={**os.environ, "TMPDIR": folder}
    )
    try:
        deadline = time.monotonic() + 20
        while len([p for p in payloads(marker) if p.pid != runner.pid]) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        assert len([p for p in payloads(marker) if p.pid != runner.pid]) >= 3
    finally:
        runner.kill()
        runner.wait()
        time.sleep(1)
        left = payloads(marker)
        shutil.rmtree(folder)
    assert left == []


def test_a_run_outlives_the_threads_around_it(sandbox):
    made, ran = [], []
    maker = threading.Thread(target=lambda: made.append(SANDBOXES.create(SANDBOXES.params(sandbox.name))))
    maker.start()
    maker.join()
    code = "import time; time.sleep(1); print('lived')"
    runner = threading.Thread(target=lambda: ran.append(made[0].run([*PYTHON, code], {}, Limits())))
    other = threading.Thread(target=time.sleep, args=(0.3,))
    runner.start()
    other.start()
    other.join()
    runner.join()
    assert (ran[0].ended, ran[0].stdout) == ("exit", b"lived\n")


@pytest.mark.skipif(not IS_ROOT, reason="only a root runner changes the user")
def test_a_payload_of_root_is_somebody_else_without_rights(sandbox):
    code = "import os, sys; print(os.getresuid(), os.getresgid(), os.getgroups())\ntry: os.setuid(0); print('root')\nexcept OSError: pass"
    said = sandbox.run([*PYTHON, code], {}, Limits()).stdout.decode()
    assert "root" not in said
    assert all(
        60578 <= int(number) < 60706
        for number in said.replace("[]", "").replace("(", " ").replace(")", " ").replace(",", " ").split()
    )


@pytest.mark.parametrize("call", ["unshare(0x10000000)", "setns(0, 0)", "mount(b'none', b'/', b'tmpfs', 0, None)"])
def test_no_namespace_and_no_mount(sandbox, call):
    code = f"import ctypes; libc = ctypes.CDLL(None, use_errno=True); print(libc.{call}, ctypes.get_errno())"
    assert sandbox.run([*PYTHON, code], {}, Limits()).stdout == b"-1 1\n"


def test_the_start_costs_thirty_milliseconds_at_most(sandbox):
    def timed(run):
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    if os.getloadavg()[0] > (os.cpu_count() or 1):
        pytest.skip("the machine is too busy to measure milliseconds")
    plain = min(timed(lambda: subprocess.run(["/bin/true"], capture_output=True)) for _ in range(20))
    inside = min(timed(lambda: sandbox.run(["/bin/true"], {}, Limits())) for _ in range(60))
    assert 0 < inside - plain < 0.030
