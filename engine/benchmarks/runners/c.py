"""Runs the cases of a patched C file, compiled by gcc: what each wrote is compared outside the sandbox.

A case is what a program is given, and what it should write. Only the first is in the sandbox: the patched code runs in
processes that hold no expected value, so nothing it does there can make it pass but writing what is expected. The one
way to run a patch is therefore the isolated one, and there is no other.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from engine.benchmarks.runners.python_tools import find_python, interpreter
from engine.benchmarks.runners.report import Report, Suite, limits_for, read_report, until, within
from engine.domain import Isolation
from engine.errors import MissingDependency
from engine.params import explain
from engine.sandboxes import Sandbox
from engine.sandboxes.identity import reachable

HARNESS = Path(__file__).with_name("c_harness.py")
INSTALL = "apt install gcc libc6-dev"
HEADER = Path("/usr/include/stdio.h")


class Case(BaseModel):
    """One test: what the program gets, and what it should write to its standard output before it ends with status 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stdout: Annotated[str, Field(max_length=100_000)]  # white space at its end does not count
    args: tuple[Annotated[str, Field(pattern=r"^[^\x00]*$")], ...] = ()  # as a system call takes them
    stdin: str = ""

    @property
    def written(self) -> bytes:
        """What should be written, without the white space that the harness, too, takes off bytes."""
        return self.stdout.encode().rstrip()


Cases: TypeAdapter[dict[str, Case]] = TypeAdapter(dict[Annotated[str, Field(pattern=r"^\w{1,100}$")], Case])


def complaints_about_cases(text: bytes) -> Iterator[str]:
    """What is wrong with a file of cases, a sentence each."""
    try:
        cases = Cases.validate_python(json.loads(text))
    except ValidationError as error:
        yield f"tests/cases.json: {explain(error)}"
        return
    except (ValueError, RecursionError) as error:
        yield f"tests/cases.json: not JSON: {error}"
        return
    # Else a program could write it without looking at what it is given, and so without the function under test.
    if len({case.written for case in cases.values()} - {b""}) < 2:
        yield "tests/cases.json: needs cases that should write something, and not all of them the same"


@dataclass(frozen=True)
class Wrote:
    """What one case did."""

    status: str
    digest: str
    beginning: str


class CRunner:
    """Needs gcc with the headers of the C library, and an interpreter for the harness."""

    is_warm = False
    least_s = 2.0

    def __init__(self, timeout_s: float) -> None:
        """`timeout_s`: processor time for compiling a patch and for all its cases; by the clock three times."""
        self._limits = limits_for(timeout_s)

    def unavailable(self) -> str:
        try:
            assert self._gcc
            assert self._python
        except MissingDependency as missing:
            return str(missing)
        return ""

    @property
    def version(self) -> str:
        return f"gcc {os.path.realpath(self._gcc)} {HARNESS.read_text(encoding='utf-8')} {self._limits}"

    def run(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        nonce = secrets.token_hex(16)
        cases = Cases.validate_python(json.loads(suite.files[suite.tests]))
        given = {name: (case.args, case.stdin) for name, case in cases.items()}
        files = {name: content for name, content in suite.files.items() if name != suite.tests}
        files |= {
            HARNESS.name: HARNESS.read_bytes(),
            "cases.json": json.dumps(given).encode(),
            suite.target: text.encode("utf-8", "surrogatepass"),
        }
        command, tools = interpreter(self._python)
        argv = [*command, HARNESS.name, nonce, suite.target, self._gcc]
        ran = sandbox.run(argv, files, within(self._limits, suite), tools=tools, start=until(nonce, "ready"))
        return _judged(read_report(ran, nonce), nonce, cases)

    trial = run

    def apart(self, text: str, suite: Suite, sandbox: Sandbox) -> Report:
        """As `run`, whose sandbox is a fresh one without the tests."""
        return self.run(text, suite, sandbox)

    def prepare(self, known_fix: str, suite: Suite, sandbox: Sandbox) -> None:
        """Nothing is to be known."""

    def twinned(
        self, text: str, suite: Suite, sandbox: Sandbox, expected: Collection[str]
    ) -> tuple[Report, Mapping[str, str]]:
        """As `run`: no twin is needed where what is expected is out of reach."""
        return self.run(text, suite, sandbox), {}

    @cached_property
    def _gcc(self) -> str:
        found = shutil.which("gcc") or ""
        if not (found.startswith("/usr/") and reachable(Path(found)) and HEADER.is_file()):
            raise MissingDependency(f"no C compiler found: gcc in /usr/bin with the C library's headers ({INSTALL})")
        return found

    @cached_property
    def _python(self) -> str:
        return find_python()


def _judged(report: Report, nonce: str, cases: Mapping[str, Case]) -> Report:
    """The report with the cases that passed, by what they wrote alone: all else in it may be the patch's own word."""
    passed, failed, log = set(), {}, bytearray()
    for name, wrote in _wrote(report.ran.stdout, nonce):
        if (case := cases.get(name)) is None:
            continue
        wanted = case.written
        if (wrote.status, wrote.digest) == ("0", blake2b(wanted, digest_size=16).hexdigest()):
            passed.add(name)
            continue
        failed[name] = f"ended with status {wrote.status} and wrote {wrote.beginning[:200]!r}"
        log += f"{name}: {failed[name]}, expected {wanted[:200].decode(errors='replace')!r}\n".encode(
            "utf-8", "replace"
        )
    ran = replace(report.ran, stderr=bytes(log) + report.ran.stderr)  # the patch may write more than a log holds
    passed -= failed.keys()
    return replace(report, ran=ran, passed=frozenset(passed), failed=failed, isolation=Isolation.ISOLATED)


def _wrote(stdout: bytes, nonce: str) -> Iterator[tuple[str, Wrote]]:
    for line in stdout.decode(errors="replace").split("\n"):
        said: list[Any] = line.split(" ")
        if said[:2] == [nonce, "wrote"] and len(said) == 6:
            name, *what = (unquote_plus(part) for part in said[2:])
            yield name, Wrote(*what)
