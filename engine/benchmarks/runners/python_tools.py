"""The interpreter that runs the tests of Python patches, and a copy of pytest, with what it needs, for the sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from engine.errors import MissingDependency
from engine.sandboxes.identity import reachable, reachable_parent
from engine.temporary import TemporaryFolder

OLDEST = (3, 11)  # as Repair Studio itself: the packages beside it are chosen for that
SYSTEM_PYTHON = "/usr/bin/python3"


def find_python() -> str:
    """An interpreter outside any virtual environment that a payload can run: ours, else the system's.

    Raises MissingDependency where there is none.
    """
    own = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    if reachable(own) and reachable(Path(os.__file__).parent):
        return own
    if os.access(SYSTEM_PYTHON, os.X_OK):
        ask = "import sys; print(*sys.version_info[:2])"
        said = subprocess.run([SYSTEM_PYTHON, "-I", "-S", "-c", ask], capture_output=True, text=True, timeout=20)
        if said.returncode == 0 and tuple(map(int, said.stdout.split())) >= OLDEST:
            return SYSTEM_PYTHON
    needed = ".".join(map(str, OLDEST))
    raise MissingDependency(
        f"no Python to run tests with: {own} cannot be read by the unprivileged user that runs patches, and "
        f"{SYSTEM_PYTHON} is missing or older than {needed}; install one (apt install python3) or do not run as root"
    )


@cache
def pytest_version() -> str:
    """Of the pytest that `copy_pytest` copies; empty where there is none."""
    try:
        return distribution("pytest").version
    except PackageNotFoundError:
        return ""


def interpreter(python: str) -> tuple[list[str], dict[str, str]]:
    """An interpreter with its flags, as a sandbox runs it, and the tools that the sandbox must open for it."""
    tools = {}
    if not python.startswith("/usr/"):
        tools["python"] = sys.base_prefix
        python = f"{{python}}/{os.path.relpath(python, os.path.realpath(sys.base_prefix))}"
    # A fixed hash seed: the same patch must meet the same order of sets every time.
    return ["/usr/bin/env", "PYTHONHASHSEED=0", python, "-s", "-P", "-B", "-S"], tools


def copy_pytest(python: str, programs: Iterable[Path]) -> TemporaryFolder:
    """pytest, its requirements and these programs of ours, compiled for `python`, in a new folder for payloads to read.

    The folder is removed with the returned object, at the latest when this process ends.
    """
    folder = TemporaryFolder("tools", reachable_parent(), 0o755)
    for package in _closure("pytest"):
        _copy(package, folder.path)
    for program in programs:
        shutil.copy(program, folder.path)
        (folder.path / program.name).chmod(0o644)
    # Without compiled files each run would compile pytest again, which takes more than a second.
    subprocess.run(
        [python, "-I", "-S", "-m", "compileall", "-q", str(folder.path)], check=True, capture_output=True, timeout=300
    )
    return folder


def _closure(name: str) -> Iterator[Distribution]:
    """The package called `name` and all that it needs on this interpreter."""
    from packaging.requirements import Requirement

    seen: set[str] = set()
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            package = distribution(name)
        except PackageNotFoundError:
            raise MissingDependency(f"{name} is not installed (pip install pytest)") from None
        yield package
        needs = (Requirement(line) for line in package.requires or ())
        waiting += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]


def _copy(package: Distribution, folder: Path) -> None:
    for file in package.files or ():
        source = Path(str(file.locate()))
        if ".." in file.parts or file.suffix not in (".py", ".pyc") or not source.is_file():
            continue
        copy = folder / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy)  # with its time, by which Python knows that a compiled file still fits
        copy.chmod(0o644)
