"""Rows that were there before are found to the letter, in another layout, under other names, and nearly."""

from __future__ import annotations

import random

import pytest

from engine.domain import Bug, Preference, Sample, Segment, span_of_change
from engine.languages.tokens import grams, names_print, tokens_of
from engine.work.duplicates import Earlier, Read
from engine.work.near import Near

CODE = "def area(width, height):\n    # of a room\n    total = width - height\n    return total\n"


def read(code, name="b", language="python"):
    fixed = code.replace(" - ", " * ")
    return Read(Bug(name, language, "a.py", code, fixed, span_of_change(code, fixed)))


SAME = CODE
LAYOUT = CODE.replace("    # of a room\n", "\n").replace("width - height", "width  -  height").replace("  -  ", " - ")
RENAMED = CODE.replace("width", "w").replace("height", "h").replace("area", "size")
OTHER = CODE.replace("return total", "return total + 1")


@pytest.mark.parametrize(
    ("level", "found"),
    [
        ("exact", ["duplicate", None, None, None]),
        ("layout", ["duplicate", "duplicate", None, None]),
        ("renamed", ["duplicate", "duplicate", "duplicate but for its names", None]),
        ("near", ["duplicate", "duplicate", "duplicate but for its names", None]),
        ("keep", [None, None, None, None]),
    ],
)
def test_each_level_finds_what_those_before_it_find(level, found):
    earlier = Earlier(level, 0.85)
    assert earlier.find(read(CODE, "first")) is None
    for code, reason in zip((SAME, LAYOUT, RENAMED, OTHER), found, strict=True):
        duplicate = earlier.find(read(code))
        assert (duplicate.reason if duplicate else None) == reason, code
        assert duplicate is None or duplicate.like == "first"


def test_other_names_in_another_order_are_other_code():
    minus = "def f(a, b):\n    return a - b\n"
    earlier = Earlier("renamed", 0.85)
    assert earlier.find(read(minus)) is None
    assert earlier.find(read(minus.replace("a - b", "b - a"))) is None
    assert earlier.find(read(minus.replace("b", "c"))).reason == "duplicate but for its names"
    java = "int f(int a) { return a - 1; }\n"
    assert names_print("java", tokens_of(java)) == names_print("java", tokens_of(java.replace(" a", " b")))
    assert names_print("java", tokens_of(java)) != names_print("java", tokens_of(java.replace("int f", "long f")))


def test_samples_and_preferences_are_compared_by_their_texts():
    earlier = Earlier("renamed", 0.85)
    sample = Sample("a", (Segment("read"), Segment("x = y", True)), language="python")
    assert earlier.find(Read(sample)) is None
    assert earlier.find(Read(Sample("b", (Segment("read"), Segment("x = y", True))))).like == "a"
    assert earlier.find(Read(Preference("c", "read", "x = y", "z"))) is None


def body(seed, lines=30):
    chance = random.Random(seed)
    return [
        f"    v{chance.randrange(40)} = g{chance.randrange(40)}(v{chance.randrange(40)}) + {n}" for n in range(lines)
    ]


def test_near_finds_a_function_of_which_a_line_was_changed_and_nothing_else():
    """The estimate is compared with the true similarity of the same runs of five tokens."""
    near, known = Near(0.8), []
    for seed in range(300):
        tokens = tokens_of("\n".join(body(seed)))
        assert near.like(tokens) is None, seed
        known.append(tokens)
    found, wanted = 0, 0
    for seed in range(0, 300, 3):
        lines = body(seed)
        for at in range(seed % 4):
            lines[7 * at] = f"    changed = {seed} * {at}"
        tokens = tokens_of("\n".join(lines))
        one, other = grams(tokens, 5), grams(known[seed], 5)
        true = len(one & other) / len(one | other)
        like = near.like(tokens)
        if true >= 0.9:
            wanted += 1
            found += like is not None and like[0] == seed
        if like is not None and like[0] == seed:
            assert abs(like[1] - true) < 0.15
            assert true > 0.65
    assert wanted >= 40
    assert found >= 0.95 * wanted


def test_near_takes_a_few_hundred_bytes_for_each_function():
    near = Near(0.85)
    for seed in range(3000):
        near.like([f"t{(seed * 31 + at * 7) % 9973}" for at in range(60)])
    tables = sum(band._table.itemsize * len(band._table) for band in near._bands)
    assert len(near._signatures) + tables < 420 * 3000 + (1 << 17)


def test_empty_code_and_any_text_have_some_tokens():
    assert tokens_of("") == []
    assert grams([], 5) == set()
    assert grams(["a"], 5) == {("a",)}
    assert tokens_of("x='it\\'s' # é") == ["x", "=", "'it\\'s'", "#", "é"]
    assert Near(0.85).like([]) is None
