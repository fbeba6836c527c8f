"""The contract test of a benchmark, which every benchmark must pass; it runs the tests of some bugs."""

from __future__ import annotations

from engine.benchmarks import Benchmark, BugEntry, Versioned
from engine.domain import Outcome, Patch
from engine.sandboxes import Sandbox


def check(benchmark: Benchmark, sandbox: Sandbox, limit: int | None = None) -> int:
    """Check the fields of all bugs and evaluate the first `limit` of each language; returns how many were evaluated.

    Raises AssertionError naming the first bug that violates the contract.
    """
    benchmark.check()
    bugs = benchmark.bugs()
    assert bugs, "a benchmark has bugs"
    assert [bug.id for bug in bugs] == [bug.id for bug in benchmark.bugs()], "the order is fixed"
    assert len({bug.id for bug in bugs}) == len(bugs), "ids are unique"
    entries = [BugEntry(bug.id, bug.language, bug.kind, bug.cwe) for bug in bugs]
    assert list(benchmark.entries()) == entries, "the list and the bugs are not the same"
    skipped = benchmark.skipped()
    unknown = set(skipped) - {bug.id for bug in bugs}
    assert not unknown, f"skipped bugs that the benchmark does not have: {sorted(unknown)}"
    assert all(skipped.values()), "every skipped bug has its reason"
    if isinstance(benchmark, Versioned):
        versions = [benchmark.version(bug) for bug in bugs if bug.id not in skipped]
        assert all(versions), "a version is never empty"
        assert len({*versions}) == len(versions), "bugs with other code or tests have other versions"
    evaluated = dict.fromkeys((bug.language for bug in bugs), 0)
    for bug in bugs:
        assert bug.id.startswith(f"{benchmark.name}/"), f"{bug.id}: the id does not begin with {benchmark.name}/"
        assert bug.buggy != bug.fixed, f"{bug.id}: buggy and fixed are the same"
        assert bug.fix_is_in_span, f"{bug.id}: the fix changes lines outside {bug.span}"
        assert bug.project, f"{bug.id}: it belongs to no project"
        if bug.id in skipped or (limit is not None and evaluated[bug.language] >= limit):
            continue
        evaluated[bug.language] += 1
        fixed = benchmark.evaluate(bug, Patch(bug.id, bug.fixed), sandbox)
        assert fixed.is_plausible, f"{bug.id}: the known fix is {fixed.outcome} ({fixed.reason}): {fixed.log}"
        runs_code = getattr(benchmark, "runs_code", True)
        where = sandbox.describe() if runs_code else ""
        assert fixed.sandbox == where, f"{bug.id}: tested in {fixed.sandbox!r}, not {where!r}"
        buggy = benchmark.evaluate(bug, Patch(bug.id, bug.buggy), sandbox)
        assert buggy.outcome in (Outcome.TEST_FAILED, Outcome.TIMEOUT), f"{bug.id}: the buggy code is {buggy.outcome}"
        nothing = benchmark.evaluate(bug, Patch(bug.id, None, "empty answer"), sandbox)
        found = (nothing.outcome, nothing.reason)
        assert found == (Outcome.NO_PATCH, "empty answer"), f"{bug.id}: no patch, and the verdict is {found}"
        broken = benchmark.evaluate(bug, Patch(bug.id, "this is } no program ("), sandbox)
        assert broken.outcome is Outcome.COMPILE_ERROR, f"{bug.id}: nonsense is {broken.outcome}"
        assert broken.log, f"{bug.id}: the log does not say why nonsense does not compile"
    return sum(evaluated.values())
