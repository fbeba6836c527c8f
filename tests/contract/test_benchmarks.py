"""Every registered benchmark keeps the contract on its first bugs, and in full where time is given."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from engine.assets import BUGS
from engine.benchmarks import BugEntry
from engine.benchmarks.contract import check
from engine.domain import Bug, Outcome, Span, Verdict
from engine.errors import SandboxUnavailable, UserError
from engine.plugins import BENCHMARKS, SANDBOXES
from engine.sandboxes.auto import usable
from engine.sandboxes.identity import reachable_parent
from engine.temporary import TemporaryFolder

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))

import fake_defects4j
import human_eval_java
import line_completion

FOLDERS = {  # benchmarks that read a user's copy, and where it lies beside a developer's checkout
    "quixbugs-python": "quixbugs",
    "quixbugs-java": "quixbugs",
    "humaneval": "humaneval",
    "mbpp": "mbpp",
}
MOST = 40  # bugs of a language that are judged here; `benchmark check` judges them all


@pytest.fixture(scope="module")
def sandbox():
    try:
        return usable(SANDBOXES.params("auto"))
    except SandboxUnavailable as reason:
        pytest.skip(str(reason))


def made(name, request, **settings):
    if name == "humaneval-java":  # whose checkout has no licence to lie beside this one
        settings["folder"] = str(human_eval_java.write(request.getfixturevalue("tmp_path_factory").mktemp(name)))
        for part in ("main/java/humaneval/buggy", "main/java/humaneval/correct", "test/java/humaneval"):
            next(Path(settings["folder"], "src", part).glob("*SAME.java")).unlink()
    if name == "completion":
        settings["folder"] = str(line_completion.write(request.getfixturevalue("tmp_path_factory").mktemp(name)))
    if name == "defects4j":  # in place of the real one, which takes gigabytes
        kept = TemporaryFolder("defects4j", reachable_parent(), 0o755)
        request.addfinalizer(kept.cleanup)
        fake_defects4j.write(kept.path / "home")
        settings |= {"folder": str(kept.path / "home"), "checkouts": str(kept.path / "kept"), "bugs": ["Calc"]}
    if name == "folder":
        settings["folder"] = str(BUGS)
    if name in FOLDERS:
        settings["folder"] = str(request.getfixturevalue("shared_data") / FOLDERS[name])
    benchmark = BENCHMARKS.create(BENCHMARKS.params({"name": name, **settings}))
    if not benchmark.bugs():
        pytest.skip(f"{name} has no bugs here yet")
    return benchmark


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS.names())
def test_the_first_bugs_keep_the_contract(name, sandbox, request):
    quick = {"timeout_s": 2} if name.startswith("quixbugs") else {}  # whose first bug never ends
    benchmark = made(name, request, **quick)
    judged = check(benchmark, sandbox, limit=1)
    skipped = benchmark.skipped()
    assert judged == len({bug.language for bug in benchmark.bugs() if bug.id not in skipped})
    if skipped:
        pytest.skip(f"judged {judged}; not: {'; '.join(sorted(set(skipped.values())))}")


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS.names())
def test_many_bugs_keep_the_contract(name, sandbox, request):
    benchmark = made(name, request)
    able = Counter(bug.language for bug in benchmark.bugs() if bug.id not in benchmark.skipped())
    assert check(benchmark, sandbox, MOST) == sum(min(number, MOST) for number in able.values())


@pytest.mark.parametrize("name", [*FOLDERS, "humaneval-java", "completion", "defects4j"])
def test_a_missing_checkout_is_reported_with_what_to_do(name, tmp_path):
    for folder in ("", str(tmp_path)):
        benchmark = BENCHMARKS.create(BENCHMARKS.params({"name": name, "folder": folder}))
        for look in (benchmark.check, benchmark.bugs):
            with pytest.raises(UserError, match=r"get |git clone|save "):
                look()


BUG = Bug("stub/one", "python", "a.py", "x = 1\n", "x = 2\n", Span(1, 1), project="stub/one")
OTHER = replace(BUG, id="stub/two", project="stub/two")


class Nowhere:
    """In place of a sandbox: the stub runs nothing."""

    def describe(self):
        return "nowhere 1"


class Stub:
    """A benchmark of two bugs that knows its verdicts without running anything; the test changes one of them."""

    name = "stub"

    def __init__(self, bugs=(BUG, OTHER), skipped=None, **verdicts):
        self.all = [list(bugs), list(bugs)] if isinstance(bugs, tuple) else bugs
        self.reasons = skipped or {}
        self.verdicts = verdicts

    def check(self):
        pass

    def bugs(self):
        return self.all[0] if len(self.all) == 1 else self.all.pop(0)

    def entries(self):
        return self.verdicts.get("entries") or [BugEntry(bug.id, bug.language) for bug in self.all[-1]]

    def skipped(self):
        return self.reasons

    def evaluate(self, bug, patch, sandbox):
        ran = Verdict(Outcome.COMPILE_ERROR, log="no program", sandbox=sandbox.describe())
        usual = {
            None: ("nothing", Verdict(Outcome.NO_PATCH, patch.reason)),
            bug.fixed: ("fixed", replace(ran, outcome=Outcome.PLAUSIBLE)),
            bug.buggy: ("buggy", replace(ran, outcome=Outcome.TEST_FAILED)),
        }
        name, verdict = usual.get(patch.text, ("nonsense", ran))
        return self.verdicts.get(name, verdict)


def test_the_stub_keeps_the_contract():
    assert check(Stub(), Nowhere()) == 2
    assert check(Stub(), Nowhere(), limit=1) == 1
    assert check(Stub(skipped={"stub/two": "no compiler"}), Nowhere()) == 1


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Stub(()), "a benchmark has bugs"),
        (Stub([[BUG, OTHER], [OTHER, BUG]]), "the order is fixed"),
        (Stub((BUG, BUG)), "ids are unique"),
        (
            Stub(entries=[BugEntry("stub/one", "java"), BugEntry("stub/two", "python")]),
            "the list and the bugs are not the same",
        ),
        (Stub(skipped={"stub/three": "no compiler"}), "skipped bugs that the benchmark does not have: .'stub/three'"),
        (Stub(skipped={"stub/two": ""}), "every skipped bug has its reason"),
        (Stub((replace(BUG, id="one"),)), "one: the id does not begin with stub/"),
        (Stub((replace(BUG, fixed=BUG.buggy),)), "stub/one: buggy and fixed are the same"),
        (Stub((replace(BUG, buggy="x = 1\ny\n", fixed="x = 2\nz\n"),)), "stub/one: the fix changes lines outside"),
        (Stub((replace(BUG, project=""),)), "stub/one: it belongs to no project"),
        (Stub(fixed=Verdict(Outcome.TIMEOUT, sandbox="nowhere 1")), "stub/one: the known fix is timeout"),
        (Stub(fixed=Verdict(Outcome.PLAUSIBLE)), "stub/one: tested in '', not 'nowhere 1'"),
        (Stub(buggy=Verdict(Outcome.PLAUSIBLE)), "stub/one: the buggy code is plausible"),
        (Stub(buggy=Verdict(Outcome.NOT_RUN)), "stub/one: the buggy code is not_run"),
        (Stub(nothing=Verdict(Outcome.COMPILE_ERROR)), "stub/one: no patch, and the verdict is .*compile_error"),
        (Stub(nothing=Verdict(Outcome.NO_PATCH)), "stub/one: no patch, and the verdict is"),
        (Stub(nonsense=Verdict(Outcome.TEST_FAILED)), "stub/one: nonsense is test_failed"),
        (Stub(nonsense=Verdict(Outcome.COMPILE_ERROR)), "stub/one: the log does not say why nonsense does not compile"),
    ],
)
def test_the_contract_finds(broken, said):
    with pytest.raises(AssertionError, match=said):
        check(broken, Nowhere())
