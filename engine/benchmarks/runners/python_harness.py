"""A program that runs inside the sandbox: compiles the patched module, runs its tests, reports each result.

`python3 python_harness.py TARGET TESTS TOOLS`, with the nonce in a file called `nonce`. The report goes to
the original standard output; for the tested code it is replaced by standard error. See `report` for the words.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time

TYPE_CHECKING = False  # as in `typing`, which is not imported for this
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import pytest

# No files, no handlers of their own, no collecting of garbage twice over at the end, nothing that no test asks for.
BLOCKED = (
    *("cacheprovider", "doctest", "faulthandler", "junitxml", "pastebin", "unraisableexception", "threadexception"),
    *("setuponly", "setupplan", "stepwise"),
)
MOST_SHOWN, MOST_ITEMS = 300, 80  # characters and items of a value in a failed assertion


def main() -> None:
    """Run the tests once; ends the process without waiting for threads that the tests started."""
    with open("nonce") as file:
        nonce = file.read()
    os.unlink("nonce")
    target, tests, tools, *emptied = sys.argv[1:]
    channel = os.dup(1)
    os.set_inheritable(channel, False)
    os.dup2(2, 1)
    sys.path[:0] = [tools, os.getcwd()]
    if emptied:
        sys.meta_path.insert(0, Emptier(target, emptied))
    judge(target, tests, teller(nonce, channel))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class Emptier:
    """Empties files when the patched module is first asked for, before it is run; the tests are loaded by then."""

    def __init__(self, target: str, files: list[str]) -> None:
        self._name = target.removesuffix(".py").replace("/", ".")
        self._files = files

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """As importlib asks; finds nothing itself."""
        if name == self._name:
            while self._files:
                os.truncate(self._files.pop(), 0)  # pytest still looks whether they exist


def teller(nonce: str, channel: int) -> Callable[..., None]:
    """What writes the lines of the report: called with a word and its details."""
    from urllib.parse import quote_plus

    def tell(*words: str) -> None:
        os.write(channel, " ".join((nonce, *(quote_plus(word, errors="replace") for word in words))).encode() + b"\n")

    return tell


def judge(target: str, tests: str, tell: Callable[..., None]) -> None:
    """Compile the file `target`, run the tests in the file `tests`, tell of each; "done" is the last word."""
    sys.argv[:] = ["pytest"]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"

    import pytest

    compiled = begin(target, tell)
    if compiled is not None:
        pytest.main(options(tests), plugins=[Reporter(tell)])
        end(compiled, tell)


def begin(target: str, tell: Callable[..., None]) -> float | None:
    """Compile the file `target`, unless it is empty: then it lies elsewhere. The time; None where it is no program."""
    tell("ready")  # from here on the patch's time is counted, by the sandbox
    began = time.monotonic()
    if target and not compiles(target, tell):
        return None
    compiled = time.monotonic()
    tell("took", "compile", f"{compiled - began:.6f}")
    tell("compiled")
    return compiled


def end(compiled: float, tell: Callable[..., None]) -> None:
    """Tell how long the tests took since then, and that all is told."""
    tell("took", "all_tests", f"{took(compiled):.6f}")
    tell("done")


class Reporter:
    """Reports the result of each test; a failing set-up or module counts as a failed test."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self.tell = tell

    def name(self, node: str) -> str:
        """How a test is called in the report: without its file."""
        return node.partition("::")[2]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = self.name(report.nodeid)
        if report.failed:
            self.tell("failed", name, message(report))
        elif report.skipped:
            self.tell("skipped", name)
        elif report.when == "call":
            self.tell("passed", name)

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Add the parameters of a test to its exception; pytest shows none of their values in its short style."""
        params = getattr(getattr(item, "callspec", None), "params", {})
        if call.excinfo is not None and params:
            told = ", ".join(f"{name}={shown(value)}" for name, value in params.items())
            with contextlib.suppress(Exception):  # the patch's exception may be anything
                BaseException.add_note(call.excinfo.value, f"parameters: {told}")

    def pytest_assertrepr_compare(self, op: str, left: object, right: object) -> list[str] | None:
        """Both values whole, where they are short; pytest leaves out all beyond 31 characters or 6 items."""
        if op != "==":
            return None
        sides = [shown(value) for value in (left, right)]
        return [f"{sides[0]} == {sides[1]}"] if all(len(each) < MOST_SHOWN for each in sides) else None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.tell("failed", report.nodeid or "collection", message(report))


def shown(value: object) -> str:
    """A value as pytest shows it, with more of it."""
    from _pytest._io.saferepr import SafeRepr

    made = SafeRepr(maxsize=MOST_SHOWN)
    made.maxlist = made.maxtuple = made.maxset = made.maxfrozenset = made.maxdict = made.maxdeque = MOST_ITEMS
    return made.repr(value)


def options(tests: str) -> list[str]:
    """Of pytest, for the tests in this file."""
    return [*common_options(), "--noconftest", tests]


def common_options() -> list[str]:
    """Of pytest, whatever it tests."""
    shown = ["-q", "--tb=short", "--no-header", "--color=no", "--show-capture=no", "--disable-warnings"]
    blocked = [f"-pno:{name}" for name in BLOCKED]
    # Without a cut pytest lists every folder above the tests, which a sandbox may forbid.
    folders = ["--rootdir=.", "--confcutdir=.", "-o", "console_output_style=classic"]
    return [*shown, *blocked, "-c", "/dev/null", *folders]


def took(began: float, now: Callable[[], float] = time.monotonic) -> float:
    """Seconds since then, by the clock as it was before a patch could change it."""
    return now() - began


def compiles(target: str, tell: Callable[..., None]) -> bool:
    """Whether the patched file is a program; says why not on standard error."""
    try:
        with open(target, "rb") as file:
            compile(file.read(), target, "exec", dont_inherit=True)
    except MemoryError:
        tell("memory")
    except (SyntaxError, ValueError, RecursionError, OverflowError) as trouble:
        import traceback

        traceback.print_exception(trouble, limit=0)
    else:
        return True
    return False


def message(report: Any) -> str:
    """The exception's first words, `KeyError: 'x'`."""
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = str(crash.message if crash else report.longrepr).strip().splitlines()
    # Where a module fails to load there is only its text, the exception on the last line marked "E".
    line = (lines[0] if crash else lines[-1].removeprefix("E").strip()) if lines else ""
    return line[:300]


if __name__ == "__main__":
    main()
