"""What every benchmark promises, as a check that a new one must pass; it judges some of the bugs for real."""

from __future__ import annotations

from engine.benchmarks import Benchmark
from engine.domain import Outcome, Patch
from engine.sandboxes import Sandbox


def check(benchmark: Benchmark, sandbox: Sandbox, limit: int | None = None) -> int:
    """Check all bugs as data and judge the first `limit` of each language; the number judged.

    Raises AssertionError naming the bug of the first broken promise.
    """
    benchmark.check()
    bugs = benchmark.bugs()
    assert bugs, "a benchmark has bugs"
    assert [bug.id for bug in bugs] == [bug.id for bug in benchmark.bugs()], "the order is fixed"
    assert len({bug.id for bug in bugs}) == len(bugs), "ids are unique"
    skipped = benchmark.skipped()
    assert set(skipped) <= {bug.id for bug in bugs}
    assert all(skipped.values()), "every skipped bug has its reason"
    judged = dict.fromkeys((bug.language for bug in bugs), 0)
    for bug in bugs:
        assert bug.id.startswith(f"{benchmark.name}/"), bug.id
        assert bug.buggy != bug.fixed, bug.id
        assert bug.replace_span(bug.fixed_lines) == bug.fixed, bug.id
        assert bug.project, bug.id
        if bug.id in skipped or (limit is not None and judged[bug.language] >= limit):
            continue
        judged[bug.language] += 1
        fixed = benchmark.evaluate(bug, Patch(bug.id, bug.fixed), sandbox)
        assert fixed.is_plausible, f"{bug.id}: the known fix is {fixed.outcome} ({fixed.reason}): {fixed.log}"
        assert fixed.sandbox == sandbox.describe(), bug.id
        buggy = benchmark.evaluate(bug, Patch(bug.id, bug.buggy), sandbox)
        assert buggy.outcome in (Outcome.TEST_FAILED, Outcome.TIMEOUT), f"{bug.id}: the buggy code is {buggy.outcome}"
        nothing = benchmark.evaluate(bug, Patch(bug.id, None, "empty answer"), sandbox)
        assert (nothing.outcome, nothing.reason) == (Outcome.NO_PATCH, "empty answer"), bug.id
        broken = benchmark.evaluate(bug, Patch(bug.id, "this is } no program ("), sandbox)
        assert broken.outcome is Outcome.COMPILE_ERROR, f"{bug.id}: nonsense is {broken.outcome}"
        assert broken.log, "the compiler's words are kept"
    return sum(judged.values())
