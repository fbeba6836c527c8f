"""No patch forges its verdict: not where its tests run elsewhere, and not where it shares a process with them."""

from __future__ import annotations

import pytest
from forging import JAVA, PYTHON
from small_bugs import JAVA_BUG, JAVA_CODE, JAVA_TESTS, PYTHON_BUG, PYTHON_CODE, PYTHON_TESTS, write

from engine.benchmarks.pocket import Pocket
from engine.domain import Isolation, Outcome, Patch

pytestmark = pytest.mark.slow

TOTAL = {
    **PYTHON_BUG,
    "id": "pocket/py-total",
    "file": "total.py",
    "span": [2, 2],
    "failing": ["test_sum"],
    "passing": ["test_zero"],
}
TOTAL_CODE = "def total(fetch):\n    return fetch(1) {} fetch(2)\n"
TOTAL_TESTS = """from total import total


def test_sum():
    assert total(lambda n: n) == 3


def test_zero():
    assert total(lambda n: 0) == 0
"""


@pytest.fixture(scope="module")
def forged(tmp_path_factory):
    """Three bugs: tests and code exchange plain values; a function is given; Java."""
    folder = tmp_path_factory.mktemp("forged")
    middle = PYTHON_CODE.format("len(text) // 2 + 1 - 1 // len(text)"), PYTHON_CODE.format("(len(text) - 1) // 2")
    write(folder / "python/py-middle", PYTHON_BUG, *middle, PYTHON_TESTS, "test_middle.py")
    total = TOTAL_CODE.format("-"), TOTAL_CODE.format("+")
    write(folder / "python/py-total", TOTAL, *total, TOTAL_TESTS, "test_total.py")
    java = JAVA_CODE.format("<"), JAVA_CODE.format(">")
    write(folder / "java/java-larger", JAVA_BUG, *java, JAVA_TESTS, "LargerTest.java")
    return Pocket(Pocket.Params(timeout_s=3), folder)


def judged(forged, name, text, sandbox):
    bug = next(bug for bug in forged.bugs() if bug.id.endswith(name))
    if reason := forged.skipped().get(bug.id):
        pytest.skip(reason)
    return forged.evaluate(bug, Patch(bug.id, bug.fixed if text is None else text), sandbox)


def test_there_are_forty_and_more():
    assert len(PYTHON) + len(JAVA) >= 60


@pytest.mark.parametrize(
    ("name", "isolation"),
    [("py-middle", Isolation.ISOLATED), ("py-total", Isolation.SHARED), ("java-larger", Isolation.ISOLATED)],
)
def test_the_honest_fix_is_plausible(forged, sandbox, name, isolation):
    verdict = judged(forged, name, None, sandbox)
    assert (verdict.outcome, verdict.isolation) == (Outcome.PLAUSIBLE, isolation), verdict
    assert verdict.stages.keys() == {"compile", "all_tests", "accept"}


@pytest.mark.parametrize("name", ["py-middle", "py-total"])
@pytest.mark.parametrize("way", PYTHON)
def test_no_python_patch_forges_its_verdict(forged, sandbox, way, name):
    verdict = judged(forged, name, PYTHON[way], sandbox)
    assert verdict.outcome in (Outcome.TEST_FAILED, Outcome.TIMEOUT), verdict
    assert judged(forged, name, None, sandbox).is_plausible, "the next patch suffers from it"


@pytest.mark.parametrize("way", JAVA)
def test_no_java_patch_forges_its_verdict(forged, sandbox, way):
    body = JAVA[way]
    verdict = judged(forged, "java-larger", f"class Larger {{ static int of(int a, int b) {{ {body} }} }}\n", sandbox)
    assert verdict.outcome in (Outcome.TEST_FAILED, Outcome.TIMEOUT, Outcome.COMPILE_ERROR), verdict
    assert judged(forged, "java-larger", None, sandbox).is_plausible, "the next patch suffers from it"
