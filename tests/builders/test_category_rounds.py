"""Examples of good code beside a weakness: of other groups, in the same language, not the same for all."""

from __future__ import annotations

from engine.builders.weaknesses import Round
from engine.domain import Bug, span_of_change


def test_examples_are_other_groups_and_not_the_same_for_all():
    def bug(n):
        buggy, fixed = f"def f{n}(a):\n    return a - {n}\n", f"def f{n}(a):\n    return a + {n}\n"
        return Bug(f"b{n}", "python", "a.py", buggy, fixed, span_of_change(buggy, fixed), cwe="CWE-1")

    shown = Round("given", 1)
    shown.learn((f"g{n}", bug(n)) for n in range(100))
    notes = [shown.told(bug(n), f"g{n}").notes for n in range(100)]
    assert all(f"f{n}(" not in "".join(note) for n, note in enumerate(notes))
    assert len(set(notes)) > 20


def test_an_example_is_in_the_language_of_the_bug():
    texts = {"python": "def f(a):\n    return a - 1\n", "c": "int f(int a) {\n    return a - 1;\n}\n"}
    bugs = [
        Bug(f"b{n}", name, "a", code, fixed, span_of_change(code, fixed), cwe="CWE-1")
        for n in range(2)
        for name, text in texts.items()
        for code, fixed in [(text.replace("f(", f"f{n}("), text.replace("f(", f"f{n}(").replace("- 1", f"+ {n}"))]
    ]
    shown = Round("given", 3)
    shown.learn((bug.id, bug) for bug in bugs)
    for bug in bugs:
        (other,) = [each for each in bugs if each.language == bug.language and each.id != bug.id]
        assert "\n".join(shown.told(bug, bug.id).notes[2:]) + "\n" == other.fixed
