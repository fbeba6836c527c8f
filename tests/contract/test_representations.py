"""Every registered representation keeps the contract, on bugs of both languages and of every shape."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest

from engine.builders import Funnel
from engine.builders.faults import FaultInjection
from engine.domain import Bug, Message, Patch, Sample, Segment, span_of_change
from engine.plugins import REPRESENTATIONS
from engine.representations import CannotShow
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


@pytest.mark.parametrize("name", REPRESENTATIONS.names())
def test_the_contract_holds(name):
    faults = FaultInjection(FaultInjection.Params(samples=100)).stream(3, Funnel())
    check(REPRESENTATIONS.create(REPRESENTATIONS.params(name)), [*shapes(), *islice(faults, 100)])


class Stub:
    """Shows the buggy file and reads a whole file; the test changes one thing."""

    name = "stub"

    def __init__(self, **changed) -> None:
        self.changed = changed
        self.shown = 0

    def encode(self, bug: Bug) -> Sample:
        self.shown += 1
        usual = Sample.of(bug, bug.buggy, bug.fixed)
        return self.changed.get("encode", lambda bug, usual, shown: usual)(bug, usual, self.shown)

    def decode(self, completion: str, bug: Bug) -> Patch:
        return self.changed.get("decode", lambda bug, usual: usual)(bug, Patch(bug.id, completion))


def refuse(*_):
    raise CannotShow("too odd")


def asking(text, *roles):
    """What shows this text of a bug in a user's message, with messages of these roles behind it."""

    def encode(bug, usual, shown):
        prompt = (Message("user", text(bug)), *(Message(role, "go on") for role in roles))
        return Sample.of(bug, prompt, bug.fixed)

    return encode


def test_the_contract_has_nothing_against_the_stub():
    check(Stub(), shapes())
    check(Stub(encode=asking(lambda bug: bug.buggy)), shapes())


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Stub(decode=lambda bug, usual: replace(usual, bug_id="b")), "shape-0: the patch is for b"),
        (Stub(decode=lambda bug, usual: Patch(bug.id, None)), "shape-0: no patch and no reason for ''"),
        (Stub(encode=lambda bug, usual, shown: replace(usual, bug_id="b")), "shape-0: the sample is for b"),
        (Stub(encode=lambda bug, usual, shown: replace(usual, kind=str(shown))), "shape-0: shown twice, two samples"),
        (
            Stub(encode=lambda bug, usual, shown: replace(usual, segments=(usual.segments[0], Segment("else", True)))),
            "shape-0: the target gives 'else'",
        ),
        (
            Stub(encode=lambda bug, usual, shown: replace(usual, segments=(Segment(bug.fixed), usual.segments[1]))),
            "the prompt holds the fix",
        ),
        (Stub(encode=asking(lambda bug: bug.fixed_lines)), "shape-0: the prompt holds the fix 'a = a [+] 1;'"),
        (Stub(encode=asking(lambda bug: bug.buggy, "assistant")), "shape-0: the last message is the assistant's"),
        (Stub(encode=asking(lambda bug: bug.buggy, "system", "user")), "shape-0: a system message comes after others"),
        (Stub(encode=refuse), "stub showed none of the bugs"),
    ],
)
def test_the_contract_finds(broken, said):
    with pytest.raises(AssertionError, match=said):
        check(broken, shapes())
