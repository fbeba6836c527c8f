"""Every registered representation keeps the contract, on bugs of both languages and of every shape."""

from __future__ import annotations

from itertools import islice

import pytest

from engine.builders import Funnel
from engine.builders.faults import FaultInjection
from engine.domain import Bug, Patch, Sample, span_of_change
from engine.representations import registry
from engine.representations.contract import check

JAVA = "class A {\n  int f(int a) {\n    if (a > 0) {\n      a = a - 1;\n    }\n    return a;\n  }\n}\n"


def shapes() -> list[Bug]:
    """Changed, inserted, deleted lines, at either end, in files of both conventions."""
    found = []
    for buggy, fixed in [
        (JAVA, JAVA.replace("a - 1", "a + 1")),
        (JAVA, JAVA.replace("      a = a - 1;\n", "")),
        (JAVA.replace("    return a;\n", ""), JAVA),
        (JAVA, "import x;\n" + JAVA),
        (JAVA, JAVA + "// end\n"),
        (JAVA.rstrip("\n"), JAVA),
        ("", JAVA),
        (JAVA, ""),
    ]:
        for end in ("\n", "\r\n"):
            old, new = buggy.replace("\n", end), fixed.replace("\n", end)
            found.append(Bug(f"shape-{len(found)}", "java", "A.java", old, new, span_of_change(old, new)))
    return found


@pytest.mark.parametrize("name", registry.names())
def test_the_contract_holds(name):
    faults = FaultInjection(FaultInjection.Params(samples=100)).bugs(3, Funnel())
    check(registry.create(registry.params(name)), [*shapes(), *islice(faults, 100)])


class Leaking:
    """Shows the fix in the prompt, or cannot read its own target."""

    name = "leaking"

    def __init__(self, prompt: str, text: str | None) -> None:
        self._prompt, self._text = prompt, text

    def encode(self, bug: Bug) -> Sample:
        return Sample(bug.id, self._prompt + bug.fixed, bug.fixed_lines)

    def decode(self, completion: str, bug: Bug) -> Patch:
        return Patch(bug.id, self._text or bug.fixed)

    def for_vocabulary(self, vocabulary):
        return self


def test_the_contract_notices_a_leak_and_a_lost_fix():
    bugs = shapes()[:1]
    with pytest.raises(AssertionError, match="the prompt holds the fix"):
        check(Leaking("", None), bugs)
    with pytest.raises(AssertionError, match="not the fix"):
        check(Leaking("", "else"), bugs)
