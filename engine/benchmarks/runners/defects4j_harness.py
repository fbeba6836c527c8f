"""Runs inside the sandbox, a program of its own: has Defects4J compile and test a patched checkout, reports each test.

`python3 defects4j_harness.py PROGRAM JDK ALL TRIGGER...`, in the checkout, with the nonce in a file called `nonce`.
Trigger tests are run first; the whole suite, reported under the name ALL, only where they all pass. The words of the
report are those of `report.py`.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from urllib.parse import quote_plus

FAILING_TESTS = "failing_tests"  # where Defects4J writes exceptions and stacks; its output names the tests only
MOST_CHARS = 20_000  # of one call's output, and of that file
FAILING = re.compile(r"^Failing tests:\s*(\d+)\s*$", re.MULTILINE)
NAMED = re.compile(r"^\s+- (\S+)\s*$", re.MULTILINE)


def main() -> None:
    """One run."""
    with open("nonce") as file:
        nonce = file.read()
    os.unlink("nonce")
    program, jdk, everything, *triggers = sys.argv[1:]
    os.environ.update(JAVA_HOME=jdk, PATH=f"{jdk}/bin:{os.path.dirname(program)}:{os.environ.get('PATH', '')}")
    os.environ["TZ"] = "America/Los_Angeles"  # as Defects4J asks for
    channel = os.dup(1)
    os.set_inheritable(channel, False)
    os.dup2(2, 1)

    def tell(*words: str) -> None:
        os.write(channel, " ".join((nonce, *(quote_plus(word, errors="replace") for word in words))).encode() + b"\n")

    def defects4j(*words: str) -> tuple[int, str]:
        done = subprocess.run([program, *words], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        sys.stderr.write((done.stdout + done.stderr).decode("utf-8", "replace")[-MOST_CHARS:])
        sys.stderr.write(stacks() if words[0] == "test" else "")
        sys.stderr.flush()
        return done.returncode, done.stdout.decode("utf-8", "replace")

    tell("ready")
    if defects4j("compile")[0] == 0:
        tell("compiled")  # from here on the patch's time is counted, by the sandbox
        failed = []
        for name in triggers:
            failed += tested(name, defects4j("test", "-t", name), tell)
        if not failed:
            tested(everything, defects4j("test"), tell)
        tell("done")


def stacks() -> str:
    """The beginning of what Defects4J wrote about the tests that failed; the next call writes its own."""
    try:
        descriptor = os.open(FAILING_TESTS, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        said = file.read(MOST_CHARS) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    os.unlink(FAILING_TESTS)
    return said.decode("utf-8", "replace")


def tested(name: str, ran: tuple[int, str], tell: object) -> list[str]:
    """Tell what came of one call of `defects4j test`; the names of the tests that failed."""
    assert callable(tell)
    code, said = ran
    found = FAILING.findall(said)
    failed = NAMED.findall(said) if found and int(found[-1]) else []
    if code == 0 and found and not int(found[-1]):
        tell("passed", name)
        return []
    for each in failed or [name]:
        tell("failed", each, "" if found else "Defects4J did not say which tests fail")
    return failed or [name]


if __name__ == "__main__":
    main()
