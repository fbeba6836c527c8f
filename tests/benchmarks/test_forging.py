"""No patch forges its verdict: not where its tests run elsewhere, and not where it shares a process with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from forging import JAVA, JAVA_SHARED, PYTHON, SHARED
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
UNITTESTS = """import unittest
from total import total


class Total(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(total(lambda n: n), 3)

    def test_zero(self):
        self.assertAlmostEqual(total(lambda n: 0), 0)
"""
UNIT = {**TOTAL, "id": "pocket/py-unit", "failing": ["Total::test_sum"], "passing": ["Total::test_zero"]}
APPLYING = {**JAVA_BUG, "id": "pocket/java-applying", "file": "Applying.java", "span": [3, 3]}
APPLYING |= {"failing": ["twelve", "seven"], "passing": []}
APPLYING_CODE = """class Applying {{
    static String apply(java.util.function.Function<Integer, String> f, int x) {{
        return f.apply({});
    }}
}}
"""
APPLYING_TESTS = """
import static org.junit.Assert.assertEquals;
import org.junit.Test;

public class ApplyingTest {
    @Test public void twelve() { assertEquals("it is 12!", Applying.apply(n -> "it is " + n + "!", 12)); }
    @Test public void seven() { assertEquals("<7>", Applying.apply(n -> "<" + n + ">", 7)); }
}
"""


@pytest.fixture(scope="module")
def forged(tmp_path_factory):
    """Bugs whose tests and code exchange plain values, and bugs whose code is given a function; in both languages."""
    folder = tmp_path_factory.mktemp("forged")
    middle = PYTHON_CODE.format("len(text) // 2 + 1 - 1 // len(text)"), PYTHON_CODE.format("(len(text) - 1) // 2")
    write(folder / "python/py-middle", PYTHON_BUG, *middle, PYTHON_TESTS, "test_middle.py")
    total = TOTAL_CODE.format("-"), TOTAL_CODE.format("+")
    write(folder / "python/py-total", TOTAL, *total, TOTAL_TESTS, "test_total.py")
    java = JAVA_CODE.format("<"), JAVA_CODE.format(">")
    write(folder / "java/java-larger", JAVA_BUG, *java, JAVA_TESTS, "LargerTest.java")
    write(folder / "python/py-unit", UNIT, *total, UNITTESTS, "test_total.py")
    applying = APPLYING_CODE.format("x + 1"), APPLYING_CODE.format("x")
    write(folder / "java/java-applying", APPLYING, *applying, APPLYING_TESTS, "ApplyingTest.java")
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
    [
        ("py-middle", Isolation.ISOLATED),
        ("py-total", Isolation.SHARED),
        ("py-unit", Isolation.SHARED),
        ("java-larger", Isolation.ISOLATED),
        ("java-applying", Isolation.SHARED),
    ],
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


@pytest.fixture(scope="module", params=["warm", "reference"])
def both_ways(request, forged):
    return Pocket(Pocket.Params(timeout_s=3, runner=request.param), Path(forged._folder))


@pytest.mark.parametrize("name", ["py-total", "py-unit"])
@pytest.mark.parametrize("way", SHARED)
def test_what_python_code_adds_is_plain_computing(both_ways, sandbox, way, name):
    verdict = judged(both_ways, name, SHARED[way], sandbox)
    assert verdict.outcome is Outcome.TEST_FAILED, verdict


@pytest.mark.parametrize("way", JAVA_SHARED)
def test_what_java_code_adds_is_plain_computing(both_ways, sandbox, way):
    verdict = judged(both_ways, "java-applying", f"class Applying {{ {JAVA_SHARED[way]} }}\n", sandbox)
    assert verdict.outcome is Outcome.TEST_FAILED, verdict
