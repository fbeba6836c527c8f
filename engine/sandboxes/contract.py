"""The contract test of a sandbox, with checks of a second each; `tests/faults` checks more."""

from __future__ import annotations

import ast
import secrets
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from engine.sandboxes import MIB, Limits, Sandbox, Start
from engine.sandboxes.identity import reachable_parent

PYTHON = ["/usr/bin/python3", "-I", "-S", "-B", "-c"]
NAMES = {"HOME", "LANG", "LC_CTYPE", "PATH", "PWD", "TMPDIR"}  # all that a payload may find in its environment


def check(sandbox: Sandbox) -> None:
    """Check every promise. Raises AssertionError at the first broken one, and for a sandbox not available here."""
    for promise in PROMISES:
        promise(sandbox)


def named(sandbox: Sandbox) -> None:
    """It works here and says its level and version, which are stored with every verdict."""
    reason = sandbox.unavailable()
    assert reason == "", f"not available: {reason}"
    level, _, version = sandbox.describe().partition(" ")
    assert level == sandbox.name, f"it describes itself as {level!r} and not {sandbox.name!r}"
    assert version, "it says no version"


def files_and_results(sandbox: Sandbox) -> None:
    """Files go in, results come out, and what is no file is named and not read."""
    files = {"in.txt": b"\xffone\0", "folder/deep/in.txt": b"two"}
    asked = ["out/all", "in.txt", "missing", "out"]
    copy = "import os; os.mkdir('out'); open('out/all', 'wb').write(open('folder/deep/in.txt', 'rb').read())"
    ran = sandbox.run([*PYTHON, copy], files, Limits(), results=asked)
    assert (ran.ended, ran.exit_code) == ("exit", 0), f"the files that were given are not there: {ran}"
    assert dict(ran.results) == {"out/all": b"two", "in.txt": b"\xffone\0"}, f"results are lost or others: {ran}"
    assert list(ran.invalid) == ["out"], f"a folder is no result: {ran}"


def paths_inside(sandbox: Sandbox) -> None:
    """A path that leads out of the working folder is refused."""
    for outside in ("/etc/hosts", "../up", "a/../../b", ""):
        try:
            sandbox.run(["/bin/true"], {}, Limits(), results=[outside])
        except ValueError:
            continue
        raise AssertionError(f"{outside!r} is not inside the working folder and was taken")


def endings(sandbox: Sandbox) -> None:
    """Exit code and output are the command's own; 128 + signal, and 127 where there is no such command."""
    says = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    ran = sandbox.run([*PYTHON, says], {}, Limits())
    found = (ran.ended, ran.exit_code, ran.stdout, ran.stderr)
    assert found == ("exit", 7, b"out\n", b"err\n"), f"exit code or output is not the command's: {ran}"
    killed = sandbox.run([*PYTHON, "import os; os.kill(os.getpid(), 9)"], {}, Limits())
    assert (killed.ended, killed.exit_code) == ("exit", 137), f"a command that was killed: {killed}"
    missing = sandbox.run(["/no/such/program"], {}, Limits())
    assert (missing.ended, missing.exit_code) == ("exit", 127), f"a command that does not exist: {missing}"


def time_by_the_clock(sandbox: Sandbox) -> None:
    """A command ends at its limit, and soon."""
    start = time.monotonic()
    late = sandbox.run([*PYTHON, "while True: pass"], {}, Limits(wall_s=0.5))
    took_s = time.monotonic() - start
    assert (late.ended, late.exit_code) == ("timeout", None), f"an endless loop: {late}"
    assert took_s < 5, f"{took_s:.1f} s with a limit of 0.5"


def processor_time(sandbox: Sandbox) -> None:
    """The processor time of children counts, and the clock does not end what is kept from running."""
    burn = "import os, sys, time\nif os.fork():\n    os.wait()\nelse:\n    while time.process_time() < {}: pass"
    late = sandbox.run([*PYTHON, burn.format(2)], {}, Limits(cpu_s=0.3))
    assert late.ended == "timeout", f"2 s of a child's processor time with a limit of 0.3: {late}"
    busy = sandbox.run([*PYTHON, burn.format(0.4)], {}, Limits(wall_s=0.3, cpu_s=3))
    assert busy.ended == "exit", f"the clock ended a command that had processor time left: {busy}"


def time_of_the_start(sandbox: Sandbox) -> None:
    """Until its line appears, the start has limits of its own; from there on the run's count."""
    start = Start(b"go", wall_s=10, cpu_s=5)
    slow = "import time\ntime.sleep(0.6)\nprint('go')"
    ran = sandbox.run([*PYTHON, slow], {}, Limits(wall_s=0.3, cpu_s=0.3), start=start)
    assert ran.ended == "exit", f"the start was counted as the command's time: {ran}"
    late = "import time\nprint('go', flush=True)\nwhile time.process_time() < 2: pass"
    ran = sandbox.run([*PYTHON, late], {}, Limits(cpu_s=0.3), start=start)
    assert ran.ended == "timeout", f"after its start a command has no limit: {ran}"
    stuck = sandbox.run([*PYTHON, "import time; time.sleep(9)"], {}, Limits(), start=Start(b"go", wall_s=0.3, cpu_s=5))
    assert stuck.ended == "timeout", f"a start has no limit: {stuck}"


def output(sandbox: Sandbox) -> None:
    """Output beyond the cap ends the run."""
    loud = "import time; print('x' * 99999, flush=True); time.sleep(60)"
    ran = sandbox.run([*PYTHON, loud], {}, Limits(output_bytes=5000))
    assert ran.ended == "output_cap", f"100,000 bytes of output with a cap of 5,000: {ran.ended}"
    assert len(ran.stdout) == 5000, f"{len(ran.stdout)} bytes kept with a cap of 5,000"


def memory(sandbox: Sandbox) -> None:
    """The memory of all processes together is limited."""
    holds = "import os, time\nfor _ in range(4):\n    os.fork()\nkept = bytearray(20 << 20)\ntime.sleep(60)"
    ran = sandbox.run([*PYTHON, holds], {}, Limits(memory_bytes=200 * MIB))
    assert ran.ended == "memory", f"sixteen processes of 20 MiB with a limit of 200: {ran}"


def disk(sandbox: Sandbox) -> None:
    """The size of the working folder is limited."""
    fills = "for i in range(64): open(str(i), 'wb').write(bytes(1 << 20))\nimport time; time.sleep(60)"
    ran = sandbox.run([*PYTHON, fills], {}, Limits(box_bytes=16 * MIB))
    assert ran.ended == "disk", f"64 MiB of files with a limit of 16: {ran}"


def tools(sandbox: Sandbox) -> None:
    """What is opened of the host can be read and not changed."""
    with tempfile.TemporaryDirectory(dir=reachable_parent()) as folder:
        Path(folder).chmod(0o755)
        tool = Path(folder, "tool.txt")
        tool.write_text("from outside")
        writes = "import sys; print(open(sys.argv[1]).read()); open(sys.argv[1], 'w')"
        ran = sandbox.run([*PYTHON, writes, "{tool}/tool.txt"], {}, Limits(), tools={"tool": folder})
        assert ran.stdout == b"from outside\n", f"a tool cannot be read: {ran}"
        assert ran.exit_code == 1, f"a tool can be opened for writing: {ran}"
        assert tool.read_text() == "from outside", "a tool was changed"


def files_of_the_host(sandbox: Sandbox) -> None:
    """Nothing else of the host's files can be read."""
    ran = sandbox.run([*PYTHON, "open('/etc/passwd')"], {}, Limits())
    assert b"Error: [Errno" in ran.stderr, f"the host's files are in reach: {ran}"


def environment(sandbox: Sandbox) -> None:
    """The runner's environment stays outside."""
    ran = sandbox.run([*PYTHON, "import os; print(sorted(os.environ))"], {}, Limits())
    more = set(ast.literal_eval(ran.stdout.decode())) - NAMES
    assert not more, f"the runner's environment is in reach: {sorted(more)}"


def user(sandbox: Sandbox) -> None:
    """Nothing runs as root."""
    ran = sandbox.run([*PYTHON, "import os; print(os.getuid())"], {}, Limits())
    assert ran.stdout.strip() != b"0", "the command runs as root"


def network(sandbox: Sandbox) -> None:
    """No listener of the host can be reached."""
    calls = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2); print('through')"
    with socket.create_server(("127.0.0.1", 0)) as server:
        ran = sandbox.run([*PYTHON, calls, str(server.getsockname()[1])], {}, Limits())
    assert ran.stdout == b"", f"the host's network is in reach: {ran}"


def leftovers(sandbox: Sandbox) -> None:
    """No process of the command is alive when its run is over."""
    mark = f"left-{secrets.token_hex(8)}"
    stays = (  # the command ends only when its grandchild has left the group: a kill of the group reaches it no more
        "import os, time\nready, there = os.pipe()\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        os.write(there, b'.')\n        time.sleep(30)\n    os._exit(0)\nos.read(ready, 1)"
    )
    sandbox.run([*PYTHON, stays, mark], {}, Limits())
    left = [one for one in psutil.process_iter(["cmdline"]) if mark in (one.info["cmdline"] or ())]
    for one in left:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    assert left == [], f"processes are left: {[one.pid for one in left]}"


PROMISES = (
    *(named, files_and_results, paths_inside, endings, time_by_the_clock, processor_time, time_of_the_start),
    *(output, memory, disk, tools, files_of_the_host, environment, user, network, leftovers),
)
