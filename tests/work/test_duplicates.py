"""Rows that were there before are found to the letter, in another layout, under other names, and nearly."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from engine.domain import Bug, Preference, Sample, Segment, span_of_change
from engine.languages.tokens import grams, names_print, tokens_of
from engine.listed import listed
from engine.work.duplicates import Earlier, Read
from engine.work.near import Near, signature_of

CODE = "def area(width, height):\n    # of a room\n    total = width - height\n    return total\n"


def read(code, name="b", language="python"):
    fixed = code.replace(" - ", " * ")
    return Read(Bug(name, language, "a.py", code, fixed, span_of_change(code, fixed)))


def seen(level, *kept):
    earlier = Earlier(level, 0.85)
    for each in kept:
        assert earlier.find(each) is None
        earlier.keep(each)
    return earlier


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
    earlier = seen(level, read(CODE, "first"))
    for code, reason in zip((SAME, LAYOUT, RENAMED, OTHER), found, strict=True):
        duplicate = earlier.find(read(code))
        if duplicate is None:
            earlier.keep(read(code))
        assert (duplicate.reason if duplicate else None) == reason, code
        assert duplicate is None or duplicate.like == "first"


def test_other_names_in_another_order_are_other_code():
    minus = "def f(a, b):\n    return a - b\n"
    earlier = seen("renamed", read(minus))
    assert earlier.find(read(minus.replace("a - b", "b - a"))) is None
    assert earlier.find(read(minus.replace("b", "c"))).reason == "duplicate but for its names"
    java = "int f(int a) { return a - 1; }\n"
    assert names_print("java", tokens_of(java)) == names_print("java", tokens_of(java.replace(" a", " b")))
    assert names_print("java", tokens_of(java)) != names_print("java", tokens_of(java.replace("int f", "long f")))


def test_samples_and_preferences_are_compared_by_their_texts():
    sample = Sample("a", (Segment("read"), Segment("x = y", True)), language="python")
    earlier = seen("renamed", Read(sample))
    assert earlier.find(Read(Sample("b", (Segment("read"), Segment("x = y", True))))).like == "a"
    assert earlier.find(Read(Preference("c", "read", "x = y", "z"))) is None


@pytest.mark.parametrize("batch", [1, 256])
@pytest.mark.parametrize("level", ["layout", "renamed", "near"])
def test_what_is_like_a_row_that_was_left_out_is_no_duplicate(build_of, monkeypatch, level, batch):
    """`long` is too long because of its comment, and `full` the second of its project."""
    monkeypatch.setattr("engine.work.rows.BATCH", batch)
    long, more = CODE.replace("# of", f"# {list(range(300))} of"), OTHER.replace("1", "2 + total")
    bugs = [
        given(read(long, "long"), "p"), given(read("def f(x):\n    return x - 1\n", "first"), "q"),
        given(read(more, "full"), "q"), given(read(CODE, "short"), "r"), given(read(more, "free"), "s"),
        given(read(CODE, "again"), "t"),
    ]  # fmt: skip
    settings = {"per_project": 1, "valid_fraction": 0, "max_tokens": 200, "representation": "ir1_or1"}
    run, report, train, _ = build_of(*bugs, duplicates=level, **settings)
    lost = {row["bug_id"]: row.get("like") for row in listed(run.artifacts / "left_out.jsonl").rows}
    assert lost == {"long": None, "full": None, "again": "short"}
    assert {row["bug_id"] for row in train} == {"first", "short", "free"}
    assert sum(report["histogram"]["counts"]) == 5, "duplicates are not counted"


def given(read_, project):
    return replace(read_.bug, project=project)


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
        signature = signature_of(tokens)
        assert near.like(signature) is None, seed
        near.add(signature)
        known.append(tokens)
    found, wanted = 0, 0
    for seed in range(0, 300, 3):
        lines = body(seed)
        for at in range(seed % 4):
            lines[7 * at] = f"    changed = {seed} * {at}"
        tokens = tokens_of("\n".join(lines))
        one, other = grams(tokens, 5), grams(known[seed], 5)
        true = len(one & other) / len(one | other)
        like = near.like(signature_of(tokens))
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
        near.add(signature_of([f"t{(seed * 31 + at * 7) % 9973}" for at in range(60)]))
    tables = sum(band._table.itemsize * len(band._table) for band in near._bands)
    assert len(near._signatures) + tables < 420 * 3000 + (1 << 17)


def test_empty_code_and_any_text_have_some_tokens():
    assert tokens_of("") == []
    assert grams([], 5) == set()
    assert grams(["a"], 5) == {("a",)}
    assert tokens_of("x='it\\'s' # é") == ["x", "=", "'it\\'s'", "#", "é"]
    assert Near(0.85).like(signature_of([])) is None
