"""Copies of the same code have the same fingerprint, whatever surrounds them."""

from __future__ import annotations

from engine.domain import Bug, span_of_change
from engine.languages.fingerprint import fingerprints


def bug(buggy: str, fixed: str, language: str = "python") -> Bug:
    return Bug("b", language, "b.py", buggy, fixed, span_of_change(buggy, fixed))


PLAIN = bug("def f(a):\n    b = a\n    return a - b\n", "def f(a):\n    b = a\n    return a + b\n")


def test_comments_layout_and_place_do_not_matter():
    frame = 'class A:\n    x = 1\n\n    def f( a ):\n        """Doc."""\n        b = a  # b\n\n        return a {} b  # why\n'
    assert fingerprints(bug(frame.format("-"), frame.format("+"))) == fingerprints(PLAIN)


def test_faulty_and_repaired_code_differ():
    faulty, repaired = fingerprints(PLAIN)
    assert faulty != repaired
    assert len(faulty) == len(repaired) == 16


def test_other_code_differs():
    other = bug("def f(a):\n    b = a\n    return a * b\n", "def f(a):\n    b = a\n    return a + b\n")
    assert fingerprints(other)[0] != fingerprints(PLAIN)[0]
    assert fingerprints(other)[1] == fingerprints(PLAIN)[1]


def test_comments_in_the_fix_do_not_matter():
    told = bug(PLAIN.buggy, PLAIN.fixed.replace("a + b", "a + b  # was minus"))
    assert fingerprints(told) == fingerprints(PLAIN)


def test_insertions_and_deletions_have_fingerprints():
    inserted = bug("def f(a):\n    return a\n", "def f(a):\n    a += 1\n    return a\n")
    deleted = bug(inserted.fixed, inserted.buggy)
    assert fingerprints(inserted) == tuple(reversed(fingerprints(deleted)))
