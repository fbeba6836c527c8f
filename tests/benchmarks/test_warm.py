"""Warm runners say what fresh ones say, share nothing between patches, and are replaced when anything is odd."""

from __future__ import annotations

import gc
import marshal
import re
from dataclasses import replace

import pytest

from engine.benchmarks.pocket import Pocket
from engine.benchmarks.quixbugs import QuixBugs
from engine.benchmarks.runners.evaluating import is_clear
from engine.benchmarks.runners.python import PythonRunner
from engine.benchmarks.runners.report import verdict
from engine.domain import Outcome, Patch

WRONG = ("", "raise\n", "pass\n", "return 0\n", "}\n", "throw new RuntimeException();\n")


def wrong(bug):
    """Texts with other lines in the place of the faulty ones."""
    indent = re.match(r"\s*", bug.buggy_lines)[0]
    ends = WRONG[4:] if bug.language == "java" else WRONG[:4]
    return [bug.replace_span(indent + line) for line in ends] + [bug.buggy[: len(bug.buggy) // 2]]


def said(found):
    return found.outcome, found.failed


@pytest.fixture
def pairs(sandbox):
    """Judges a text warm and fresh."""

    def judge(benchmark, bug, runner, suite, expected):
        for text in (bug.fixed, bug.buggy, *wrong(bug)):
            warm = verdict(runner.trial(text, suite, sandbox), expected, sandbox)
            if is_clear(warm):
                yield text, warm, verdict(runner.run(text, suite, sandbox), expected, sandbox)

    return judge


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("language", ["python", "java"])
def test_warm_and_fresh_agree_on_all_of_pocket(pairs, language):
    benchmark = Pocket(Pocket.Params(languages=(language,), timeout_s=2))
    bugs = [bug for bug in benchmark.bugs() if bug.id not in benchmark.skipped()]
    if not bugs:
        pytest.skip(next(iter(benchmark.skipped().values())))
    compared = 0
    for bug in bugs:
        _, suite = benchmark.cases[bug.id]
        for text, warm, fresh in pairs(benchmark, bug, benchmark._runners[language], suite, bug.failing + bug.passing):
            assert said(warm) == said(fresh), f"{bug.id}\n{text}\n{warm}\n{fresh}"
            compared += 1
    assert compared > 3 * len(bugs)


@pytest.mark.slow
@pytest.mark.parametrize("step", [10, pytest.param(1, marks=pytest.mark.long)], ids=["four bugs", "every bug"])
def test_warm_and_fresh_agree_on_quixbugs(pairs, shared_data, sandbox, step):
    # On two busy cores the known fix of `levenshtein` takes up to two seconds.
    benchmark = QuixBugs(QuixBugs.Params(folder=str(shared_data / "quixbugs"), timeout_s=6))
    compared, bugs = 0, list(benchmark.bugs())[::step]
    for bug in bugs:
        _, suite = benchmark._cases[bug.id]
        expected = benchmark._measured.passing(bug, suite, sandbox)
        for text, warm, fresh in pairs(benchmark, bug, benchmark._runner, suite, expected):
            assert said(warm) == said(fresh), f"{bug.id}\n{text}\n{warm}\n{fresh}"
            compared += 1
    assert compared > 2 * len(bugs)


LEAVES = {
    "files": "import os\nfor at in ('.', '/tmp', '/dev/shm', os.environ.get('HOME', '.')):\n"
    "    try: open(at + '/left.txt', 'w').write('x'); os.makedirs(at + '/a/b/c')\n    except OSError: pass\n",
    "a daemon": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(60)\n    os._exit(0)\n",
    "a closed folder": "import os\nos.makedirs('shut/in'); os.chmod('shut', 0)\n",
    "its folder closed": "import os\nos.chmod('.', 0)\n",
    "a changed library": "import json, pytest\njson.loads = pytest.main = None\n",
}
LOOKS = """import os, stat
def is_socket(number):
    try: return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError: return False
def middle(text):
    assert not any(map(is_socket, range(256))), 'it can ask for jobs itself'
    found = [os.listdir(at) for at in ('.', '/tmp', '/dev/shm') if os.access(at, os.R_OK)]
    assert 'left.txt' not in str(found), found
    import json, pytest
    assert json.loads and pytest.main
    return text[(len(text) - 1) // 2]
"""


@pytest.mark.parametrize("what", LEAVES)
def test_a_patch_finds_nothing_of_the_one_before(pocket, bugs, sandbox, what):
    bug = bugs["python"]
    runner, (_, suite) = pocket._runners["python"], pocket.cases[bug.id]
    left = LEAVES[what] + "def middle(text): return None\n"
    runner.trial(left, suite, sandbox)
    after = verdict(runner.trial(LOOKS, suite, sandbox), bug.failing + bug.passing, sandbox)
    assert after.is_plausible or "/tmp" in after.log, after  # of the host's, which Landlock lets nobody list
    assert verdict(runner.trial(bug.fixed, suite, sandbox), bug.failing + bug.passing, sandbox).is_plausible


def test_a_warm_interpreter_is_used_again_and_replaced_after_a_time_out(pocket, bugs, sandbox):
    bug = bugs["python"]
    runner, (_, suite) = pocket._runners["python"], pocket.cases[bug.id]
    runner.trials.close()
    before = runner.trials.opened
    for _ in range(3):
        runner.trial(bug.buggy, suite, sandbox)
    assert runner.trials.opened == before + 1
    late = verdict(runner.trial("while True: pass", suite, sandbox), bug.passing, sandbox)
    assert late.outcome is Outcome.TIMEOUT
    runner.trial(bug.buggy, suite, sandbox)
    assert runner.trials.opened == before + 2


@pytest.mark.slow
def test_a_warm_jvm_is_used_again_and_replaced_where_a_patch_can_change_it(pocket, bugs, sandbox):
    bug = bugs["java"]
    if reason := pocket.skipped().get(bug.id):
        pytest.skip(reason)
    runner, (_, suite) = pocket._runners["java"], pocket.cases[bug.id]
    runner.trials.close()
    before = runner.trials.opened
    for _ in range(3):
        runner.trial(bug.buggy, suite, sandbox)
    assert runner.trials.opened == before + 1
    body = 'System.setProperty("line.separator", "x"); return a > b ? a : b;'
    changed = f"class Larger {{ static int of(int a, int b) {{ {body} }} }}\n"
    runner.trial(changed, suite, sandbox)
    runner.trial(bug.buggy, suite, sandbox)
    assert runner.trials.opened == before + 2


def test_no_process_is_left_when_warm_places_are_closed(pocket, bugs, sandbox):
    runner = pocket._runners["python"]
    with runner.trials.lend(sandbox) as lent:
        leader, pid = lent.place.leader, lent.place.process.pid
    runner.trials.close()
    assert not alive(leader)
    assert not alive(pid)


def test_warm_places_end_with_the_runner_they_belong_to(pocket, bugs, sandbox):
    runner, (_, suite) = PythonRunner(5.0), pocket.cases[bugs["python"].id]
    runner.trial(bugs["python"].buggy, suite, sandbox)
    (_, lent), *_ = runner.trials._idle
    pid = lent.place.process.pid
    gc.disable()
    try:
        del runner
        assert not alive(pid), "it would look at the disk until the process ends"
    finally:
        gc.enable()


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_passing_patch_is_run_once_more(pocket, bugs, sandbox):
    bug = bugs["python"]
    found = pocket.evaluate(bug, Patch(bug.id, bug.fixed), sandbox)
    assert found.is_plausible
    assert found.isolation == "isolated"
    refused = pocket.evaluate(bug, Patch(bug.id, bug.buggy), sandbox)
    assert (refused.outcome, refused.isolation) == (Outcome.TEST_FAILED, "shared")
    assert "accept" not in refused.stages


def test_compiled_tests_come_from_a_child_without_a_patch_and_are_used_for_the_same_tests_only(
    pocket, bugs, sandbox, monkeypatch
):
    bug = bugs["python"]
    runner, (_, suite) = pocket._runners["python"], pocket.cases[bug.id]
    expected = bug.failing + bug.passing
    monkeypatch.setattr(runner, "_rewritten", {})
    assert verdict(runner.trial(bug.fixed, suite, sandbox), expected, sandbox).is_plausible
    assert runner._rewritten == {}, "where a patch ran, nothing is kept"
    runner.apart(bug.fixed, suite, sandbox)
    ((tests, kept),) = runner._rewritten.items()
    assert tests == suite.files[suite.tests]
    assert verdict(runner.trial(bug.fixed, suite, sandbox), expected, sandbox).is_plausible
    ((path, content),) = kept.items()
    other = marshal.dumps(compile("def test_other(): pass", suite.tests, "exec"))
    runner._rewritten[tests] = {path: content[:16] + other}
    assert runner.trial(bug.fixed, suite, sandbox).passed == {"test_other"}, "it is what is run"
    changed = replace(suite, files={**suite.files, suite.tests: tests + b"\n# changed\n"})
    runner._rewritten[changed.files[suite.tests]] = {path: content[:16] + other}
    assert verdict(runner.trial(bug.fixed, changed, sandbox), expected, sandbox).is_plausible, "of other tests"
