"""What is learned gives the known fix back, for every bug of the public data and for thousands that are drawn."""

from __future__ import annotations

from collections import Counter
from difflib import unified_diff
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shared_bugs import SHARED, defects4j, juliet, quixbugs, sven

from engine.builders import Funnel
from engine.builders.faults import FaultInjection
from engine.domain import Bug, Patch, Span, lines_of, span_of_change
from engine.plugins import BENCHMARKS, REPRESENTATIONS
from engine.representations import CannotShow
from engine.representations.excerpt import Excerpt
from engine.representations.region import changes

NAMES = [name for name in REPRESENTATIONS.built_in() if name[:2] == "ir"]
MARKS = {name: ("literal", "fim") if name in ("ir3_or2", "ir4_or2") else ("literal",) for name in NAMES}
ALL = [(name, mark, strip) for name in NAMES for mark in MARKS[name] for strip in (False, True)]
SEVERAL = "its diff fits several places"  # what little context may do, and is refused


def shown(name, mark="literal", strip=False):
    return REPRESENTATIONS.from_value({"name": name, "mark": mark, "strip": strip})


@cache
def listed(made) -> list[Bug]:
    return list(made())


def injected():
    return FaultInjection(FaultInjection.Params(samples=300)).stream(1, Funnel())


def settings_of(representation):
    return (representation._shown if isinstance(representation, Excerpt) else representation).params


def refused(bugs, representation) -> Counter[str]:
    """Why bugs cannot be shown, by reason; all others give their fix back."""
    reasons: Counter[str] = Counter()
    for bug in bugs:
        try:
            target = representation.encode(bug).target
        except CannotShow as error:
            reasons[str(error).partition(",")[0]] += 1
        else:
            patch = representation.decode(target, bug)
            assert patch.text == bug.fixed or settings_of(representation).strip, bug.id
    return reasons


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("made", "few"), [(quixbugs, 1), (sven, 0), (defects4j, 0), (juliet, 0)])
def test_every_bug_of_the_public_data_is_given_back(made, few, name):
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there")
    bugs = listed(made)
    assert len(bugs) > 80
    reasons = refused(bugs, shown(name))
    assert reasons == ({SEVERAL: few} if name == "ir1_or4" and few else {})


@pytest.mark.parametrize(("name", "mark", "strip"), ALL)
def test_every_injected_fault_is_given_back(name, mark, strip):
    reasons = refused(listed(injected), shown(name, mark, strip))
    assert sum(reasons.values()) <= (3 if name == "ir1_or4" else 0), reasons


@pytest.mark.parametrize(("name", "mark", "strip"), ALL)
def test_the_bugs_of_a_benchmark_are_given_back_whole_and_as_excerpts(name, mark, strip):
    bugs = BENCHMARKS.from_value("pocket").bugs()
    representation = shown(name, mark, strip)
    assert not refused(bugs, representation)
    for bug in bugs:
        around = Span(max(1, bug.span.start - 2), min(len(lines_of(bug.buggy)), bug.span.end + 2))
        assert not refused([bug], Excerpt(representation, around))


LINE = st.sampled_from(
    ["int f() {", "  return a;", "  // note", "", "  ", "}", "\tif (a) {", "\t}", "a\x0cb", "x\u2028y", "é = '\x85';",
     "+ 1", "- 1", "-- b", "++ c", " @@", "@@ -1 +1 @@", "\\ No newline at end of file", "a\rb", "/* open"]
)  # fmt: skip


@st.composite
def edits(draw) -> Bug:
    """Two texts with some lines in common, in several places, of one kind of line ends or of both."""
    end = draw(st.sampled_from(["\n", "\r\n", "mixed"]))
    old, new = [], []
    for _ in range(draw(st.integers(1, 5))):
        same = draw(st.lists(LINE, max_size=5))
        old += same + draw(st.lists(LINE, max_size=2))
        new += same + draw(st.lists(LINE, max_size=2))
    ends = draw(st.lists(st.booleans(), min_size=40, max_size=40)) if end == "mixed" else [end == "\r\n"] * 40
    buggy, fixed = (
        "".join(line + ("\r\n" if is_crlf else "\n") for line, is_crlf in zip(lines, ends, strict=False))
        for lines in (old, new)
    )
    buggy, fixed = (text.rstrip("\r\n") if draw(st.booleans()) else text for text in (buggy, fixed))
    if buggy == fixed:
        fixed += "y = 1" + ("\n" if end == "mixed" else end)
    language = draw(st.sampled_from(["python", "java"]))
    span = span_of_change(buggy, fixed)
    return Bug("b", language, "b", buggy, fixed, span, is_function=draw(st.booleans()))


def reason_of(bug: Bug, representation) -> str:
    """Why the bug cannot be shown; empty where it can."""
    try:
        representation.encode(bug)
    except CannotShow as error:
        return str(error)
    return ""


def may_be_refused(bug: Bug, name: str, strip: bool) -> bool:
    """Line ends are changed, nothing is left, comments are not seen, or hunks between two others fit several places."""
    old, new = lines_of(bug.buggy), lines_of(bug.fixed)
    changes_ends = bug.is_crlf and "\n" in bug.fixed.replace("\r\n", "")
    if changes_ends or name[:3] != "ir1":
        return changes_ends
    return strip or not bug.fixed.strip() or (name != "ir1_or1" and len(changes(old, new)) > 2)


@settings(max_examples=2000, deadline=None)
@given(edits(), st.sampled_from(ALL))
@example(Bug("b", "java", "b", "", "a", span_of_change("", "a")), ("ir1_or4", "literal", False))
def test_a_drawn_fix_is_given_back(bug, how):
    name, mark, strip = how
    representation = shown(name, mark, strip)
    reason = reason_of(bug, representation)
    if reason:
        assert may_be_refused(bug, name, strip), reason
    else:
        read = representation.decode(representation.encode(bug).target, bug)
        assert read.text is not None
        assert read.text == bug.fixed or (strip and name[:3] == "ir1")


@settings(max_examples=600, deadline=None)
@given(st.one_of(st.text(), st.lists(LINE).map("\n".join)), edits(), st.sampled_from(ALL))
def test_every_answer_is_read(answer, bug, how):
    patch = shown(*how).decode(answer, bug)
    assert isinstance(patch, Patch)
    assert patch.text is not None or patch.reason
    assert isinstance(shown(*how).trim(answer, bug), str)


def by_unified_diff(bug: Bug) -> dict[str, tuple[str, str]]:
    """The published texts, read off the diff that the authors read them off."""
    old, new = lines_of(bug.buggy), lines_of(bug.fixed)
    diff = list(unified_diff(old, new, n=1_000_000))[3:]
    changed = [at for at, line in enumerate(diff) if line[0] in "+-"]
    first, last = changed[0], changed[-1]
    body = [line[1:] for line in diff]
    faulty = [line[1:] for line in diff[first : last + 1] if line[0] in " -"] or ["\n"]
    target = "".join(line[1:] for line in diff[first : last + 1] if line[0] in " +")
    before, after = "".join(body[:first]), "".join(body[last + 1 :])
    line = body[first]
    hole = f"{line[: len(line) - len(line.lstrip())]}<FILL_ME>\n"
    comment = "".join(f"// {line}" for line in faulty)
    between = f"// buggy lines start:\n{''.join(faulty)}// buggy lines end\n"
    return {
        "ir2_or2": (f"{before}{between}{after}// fixed lines:\n", target),
        "ir3_or2": (f"{before}{hole}{after}", target),
        "ir4_or2": (f"{before}// buggy code\n{comment}{hole}{after}", target),
        "ir1_or1": (bug.buggy, bug.fixed),
    }


@st.composite
def functions(draw) -> Bug:
    """Java functions whose lines end with a newline alone, as the published ones do."""
    bug = draw(edits().filter(lambda bug: "\r" not in bug.buggy + bug.fixed))
    buggy, fixed = (text if text.endswith("\n") or not text else text + "\n" for text in (bug.buggy, bug.fixed))
    if buggy == fixed:
        fixed += "z();\n"
    return Bug("b", "java", "b", buggy, fixed, span_of_change(buggy, fixed), is_function=True)


@settings(max_examples=600, deadline=None)
@given(functions())
def test_drawn_texts_are_those_of_a_unified_diff(bug):
    for name, texts in by_unified_diff(bug).items():
        if name == "ir1_or1" and not bug.fixed.strip():
            continue
        sample = shown(name).encode(bug)
        assert (sample.prompt, sample.target) == texts
