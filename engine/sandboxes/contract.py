"""What every sandbox promises, as a check of a few seconds that a new one must pass; `tests/faults` goes further."""

from __future__ import annotations

import ast
import tempfile
import time
from pathlib import Path

from engine.sandboxes import MIB, Limits, Sandbox
from engine.sandboxes.identity import reachable_parent

PYTHON = ["/usr/bin/python3", "-I", "-S", "-B", "-c"]


def check(sandbox: Sandbox) -> None:
    """Run a handful of commands. Raises AssertionError at the first broken promise, and for one not available here."""
    assert sandbox.unavailable() == "", sandbox.unavailable()
    level, _, version = sandbox.describe().partition(" ")
    assert level == sandbox.name
    assert version, "the version is stored with every verdict"
    _check_files(sandbox)
    _check_endings(sandbox)
    _check_tools(sandbox)
    _check_host(sandbox)


def _check_files(sandbox: Sandbox) -> None:
    files = {"in.txt": b"\xffone\0", "folder/deep/in.txt": b"two"}
    asked = ["out/all", "in.txt", "missing", "out"]
    copy = "import os; os.mkdir('out'); open('out/all', 'wb').write(open('folder/deep/in.txt', 'rb').read())"
    ran = sandbox.run([*PYTHON, copy], files, Limits(), results=asked)
    assert ran.ended == "exit", ran
    assert ran.exit_code == 0, ran
    assert dict(ran.results) == {"out/all": b"two", "in.txt": b"\xffone\0"}, ran
    assert list(ran.invalid) == ["out"], "a folder is no result"
    for outside in ("/etc/hosts", "../up", "a/../../b", ""):
        try:
            sandbox.run(["/bin/true"], {}, Limits(), results=[outside])
        except ValueError:
            continue
        raise AssertionError(f"{outside!r} is not inside the working folder")


def _check_endings(sandbox: Sandbox) -> None:
    says = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    ran = sandbox.run([*PYTHON, says], {}, Limits())
    assert (ran.ended, ran.exit_code, ran.stdout, ran.stderr) == ("exit", 7, b"out\n", b"err\n"), ran
    killed = sandbox.run([*PYTHON, "import os; os.kill(os.getpid(), 9)"], {}, Limits())
    assert (killed.ended, killed.exit_code) == ("exit", 137), killed
    missing = sandbox.run(["/no/such/program"], {}, Limits())
    assert (missing.ended, missing.exit_code) == ("exit", 127), missing
    start = time.monotonic()
    late = sandbox.run([*PYTHON, "while True: pass"], {}, Limits(wall_s=0.5))
    assert (late.ended, late.exit_code) == ("timeout", None), late
    assert time.monotonic() - start < 1.5 + 1
    loud = sandbox.run([*PYTHON, "while True: print('x' * 999)"], {}, Limits(output_bytes=5000))
    assert loud.ended == "output_cap", loud
    assert len(loud.stdout) == 5000
    holds = "import os, time\nfor _ in range(6):\n    os.fork()\nkept = bytearray(20 << 20)\ntime.sleep(60)"
    big = sandbox.run([*PYTHON, holds], {}, Limits(memory_bytes=200 * MIB))
    assert big.ended == "memory", big
    fills = "for i in range(9999): open(str(i), 'wb').write(bytes(1 << 20))\nimport time; time.sleep(60)"
    full = sandbox.run([*PYTHON, fills], {}, Limits(box_bytes=16 * MIB))
    assert full.ended == "disk", full


def _check_tools(sandbox: Sandbox) -> None:
    with tempfile.TemporaryDirectory(dir=reachable_parent()) as folder:
        Path(folder).chmod(0o755)
        Path(folder, "tool.txt").write_text("from outside")
        writes = "import sys; print(open(sys.argv[1]).read()); open(sys.argv[1], 'w')"
        ran = sandbox.run([*PYTHON, writes, "{tool}/tool.txt"], {}, Limits(), tools={"tool": folder})
        assert ran.stdout == b"from outside\n", ran
        assert ran.exit_code == 1, "tools are read-only"
        assert Path(folder, "tool.txt").read_text() == "from outside"


def _check_host(sandbox: Sandbox) -> None:
    asks = "import os; print(sorted(os.environ), os.getuid()); open('/etc/passwd')"
    ran = sandbox.run([*PYTHON, asks], {}, Limits())
    assert b"Error: [Errno" in ran.stderr, "the host's files are in reach"
    names, _, uid = ran.stdout.decode().strip().rpartition(" ")
    assert set(ast.literal_eval(names)) <= {"HOME", "LANG", "LC_CTYPE", "PATH", "PWD", "TMPDIR"}, ran
    assert uid != "0", ran
