"""Runs inside the sandbox: lays a whole project out in the working folder, and runs some of its own tests there.

`python3 project_harness.py TOOLS PROJECT`, with the job as JSON in a file called `job`. The job's files are written
over the project's, and its tests are named as pytest does, `tests/test_box.py::TestBox::test_add`, or "." for all.
`options` are more of pytest's; tests named in `left_out` are not run. See `report` for the words; further ones are
`lasted NAME SECONDS`, and, with `is_traced`, `at NUMBER PATH LINE` for each function of the project that a test calls,
by the line where it begins, and `calls NAME NUMBERS`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading

TYPE_CHECKING = False  # as in `typing`, which is not imported for this
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType
    from typing import Any

    import pytest

    from engine.benchmarks.runners import python_harness
else:
    if __name__ == "__main__":
        sys.path[:0] = [sys.argv[1]]  # our own programs and pytest: the interpreter adds nothing
    import python_harness

# pytest's own way of showing a failure parses the files of its frames anew each time: half a second in a long one.
NATIVE = "--tb=native"
ROOTS = ("src", "lib")  # folders of a project that packages lie in, besides its own


def main() -> None:
    """Do the one job; ends the process without waiting for threads that the tests started."""
    with open("job", "rb") as file:
        told = json.loads(file.read())
    os.unlink("job")
    channel = os.dup(1)
    os.set_inheritable(channel, False)
    os.dup2(2, 1)
    perform(told, sys.argv[2], channel)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def perform(told: dict[str, Any], project: str, channel: int) -> None:
    """Lay out the project, and run the tests of a job; "done" is the last word."""
    tell = python_harness.teller(told["nonce"], channel)
    lay_out(project, told["files"])
    here = os.getcwd()
    sys.path[:0] = [here, *(os.path.join(here, root) for root in ROOTS if os.path.isdir(root))]
    sys.argv[:] = ["pytest"]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"

    import pytest

    compiled = python_harness.begin(told["target"], tell)
    if compiled is not None:
        plugins: list[object] = [Tracer(tell, here)] if told.get("is_traced") else []
        tests = told["tests"].split("\n")
        pytest.main(
            [*python_harness.common_options(), NATIVE, *told.get("options", ()), *tests],
            plugins=[Reporter(tell), Chooser({*told.get("left_out", ())}), *plugins],
        )
        python_harness.end(compiled, tell)


def lay_out(project: str, files: dict[str, str]) -> None:
    """Copy the project, and write `files` (bytes told as latin-1) over its own."""
    shutil.copytree(project, ".", dirs_exist_ok=True, copy_function=shutil.copyfile)
    for path, content in files.items():
        folder, name = os.path.split(path)
        compiled = os.path.join(folder, "__pycache__")
        for each in os.listdir(compiled) if os.path.isdir(compiled) else ():
            if each.startswith(f"{name.removesuffix('.py')}."):
                os.unlink(os.path.join(compiled, each))
        os.makedirs(folder or ".", exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode("latin-1"))


class Reporter(python_harness.Reporter):
    """Names tests with their files, and tells how long each took."""

    def __init__(self, tell: Callable[..., None]) -> None:
        super().__init__(tell)
        self._seconds: dict[str, float] = {}

    def name(self, node: str) -> str:
        return node

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Take pytest's own frames out of what it shows: in its native style they come first and fill the log."""
        if call.excinfo is not None:
            entries = call.excinfo.traceback
            ours = os.path.dirname(python_harness.__file__) + os.sep
            first = next((at for at, entry in enumerate(entries) if not str(entry.path).startswith(ours)), 0)
            call.excinfo.traceback = type(entries)(entries[first:])
        super().pytest_runtest_makereport(item, call)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0.0) + report.duration
        if report.when == "teardown":
            self.tell("lasted", report.nodeid, f"{self._seconds.pop(report.nodeid):.6f}")
        super().pytest_runtest_logreport(report)


class Chooser:
    """Takes out tests by their exact names; pytest's own option takes out all whose names begin so, too."""

    def __init__(self, left_out: set[str]) -> None:
        self._left_out = left_out

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid not in self._left_out]


class Tracer:
    """Tells which functions of the project each test calls; calls made while modules are loaded are nobody's."""

    def __init__(self, tell: Callable[..., None], here: str) -> None:
        self._tell = tell
        self._here = os.path.join(here, "")
        self._called: dict[int, CodeType] = {}  # by id: to compare two takes long
        self._numbers: dict[tuple[str, int], int] = {}

    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        self._called.clear()
        threading.settrace(self._trace)
        sys.settrace(self._trace)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        sys.settrace(None)
        threading.settrace(None)
        self._tell("calls", nodeid, " ".join(map(str, sorted(self._found()))))

    def _trace(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        self._called[id(code)] = code

    def _found(self) -> Iterator[int]:
        for code in list(self._called.values()):
            if code.co_filename.startswith(self._here):
                place = code.co_filename.removeprefix(self._here), code.co_firstlineno
                if place not in self._numbers:
                    self._numbers[place] = len(self._numbers)
                    self._tell("at", str(self._numbers[place]), place[0], str(place[1]))
                yield self._numbers[place]


if __name__ == "__main__":
    main()
