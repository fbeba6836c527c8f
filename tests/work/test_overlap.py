"""Code of benchmarks in a dataset is counted, listed and, if that is asked for, left out."""

from __future__ import annotations

import json
import sys
import tracemalloc

import pytest

from engine.builders import Funnel
from engine.domain import Bug, span_of_change
from engine.errors import UserError
from engine.listed import listed
from engine.params import Params
from engine.plugins import Registry
from engine.work.overlap import Overlap

LINES = [f"    step{n} = compute(values[{n}], step{n - 1}, weight={n})\n" for n in range(1, 9)]
CODE = "def solve(values, step0):\n" + "".join(LINES) + "    return step8 - step0\n"
LONGER = CODE + "\n\ndef last(values):\n    return values[-1]\n"


class Known:
    """A benchmark of one bug."""

    name = "known"

    class Params(Params):
        name: str

    def __init__(self, params) -> None:
        pass

    def check(self) -> None:
        pass

    def bugs(self) -> list[Bug]:
        fixed = CODE.replace("step8 -", "step8 +")
        return [Bug("known/1", "python", "a.py", CODE, fixed, span_of_change(CODE, fixed))]


class Longer(Known):
    name = "longer"

    def bugs(self):
        fixed = LONGER.replace("step8 -", "step8 +")
        yield Bug("longer/1", "python", "a.py", LONGER, fixed, span_of_change(LONGER, fixed))


class Absent(Known):
    name = "absent"

    def check(self) -> None:
        raise UserError("no folder is named")


class Slow(Known):
    name = "slow"
    reads_slowly = True


class Broken(Known):
    name = "broken"

    def bugs(self):
        yield from super().bugs()
        raise UserError("bug 2 has no tests")


class Many(Known):
    name = "many"

    def bugs(self):
        for number in range(300):
            code = CODE.replace("compute", f"compute{number}")
            yield Bug(f"many/{number}", "python", "a.py", code, code[:-6], span_of_change(code, code[:-6]))


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    module = type(sys)("some_benchmarks")
    module.Known, module.Absent, module.Slow = Known, Absent, Slow
    monkeypatch.setitem(sys.modules, "some_benchmarks", module)
    module.Broken, module.Many, module.Longer = Broken, Many, Longer

    def install(*more):
        names = {each.name: f"some_benchmarks:{each.__name__}" for each in (Known, Absent, Slow, *more)}
        registry = Registry("benchmarks", "benchmark", names)
        for user in ("engine.work.overlap", "engine.spec"):
            monkeypatch.setattr(f"{user}.BENCHMARKS", registry)

    install()
    return install


@pytest.fixture
def rows(tmp_path):
    """The same code, under other names, much and some of it in another function, and something else."""
    same = CODE.replace("return", "# the end\n    return")
    renamed = CODE.replace("values", "v").replace("solve", "f")
    half = "def other(values, step0):\n" + "".join(LINES[:6]) + "    x = [1]\n    return x[0] - step6\n"
    some = "def fourth(values, step0):\n" + "".join(LINES[:4]) + "    y = [2]\n    return y[0] - step4\n"
    other = "def third(a, b):\n    return a - b\n"
    file = tmp_path / "rows.jsonl"
    rows = [
        {"id": name, "buggy_function": code, "fixed_function": code.replace(" - step", " + step").replace("a - b", "b")}
        for name, code in (("same", same), ("renamed", renamed), ("half", half), ("some", some), ("other", other))
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"name": "columns", "file": str(file), "id": "id"}


def test_every_benchmark_that_can_be_read_is_compared_and_the_rows_are_listed(make, rows):
    run, report, train, _ = make(builder=rows, valid_fraction=0)
    assert len(train) == 5
    known, absent, slow = report["overlap"]
    counts = {"same": 1, "renamed": 1, "alike": 1, "bugs": 1, "touched": 1, "problem": ""}
    assert known == {"benchmark": "known", **counts}
    assert (absent["problem"], slow["problem"][:23]) == ("no folder is named", "reading its bugs takes ")
    found = {row["bug_id"]: row for row in listed(run.artifacts / "overlap.jsonl", "known").rows}
    assert {name: row["how"] for name, row in found.items()} == {
        "same": "the same code", "renamed": "the same code under other names", "half": "shared tokens",
    }  # fmt: skip
    assert {row["like"] for row in found.values()} == {"known/1"}
    assert 0.5 <= found["half"]["share"] < 1


def test_one_that_fails_while_it_is_read_is_named_once_and_nothing_overlaps_with_it(make, rows, benchmarks):
    benchmarks(Broken)
    run, report, _, _ = make(builder=rows, valid_fraction=0)
    (broken,) = [each for each in report["overlap"] if each["benchmark"] == "broken"]
    assert broken == {
        "benchmark": "broken", "bugs": 0, "same": 0, "renamed": 0, "alike": 0, "touched": 0,
        "problem": "bug 2 has no tests",
    }  # fmt: skip
    assert not listed(run.artifacts / "overlap.jsonl", "broken").rows


def test_the_memory_of_a_benchmark_is_bounded(benchmarks, monkeypatch):
    benchmarks(Many)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    every = Overlap((), ["many"], None, is_all=False)
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert every.benchmarks[0].bugs == 300
    assert len(every._runs) > 20_000, "so that the bugs are much alike, and share few runs"
    assert used / len(every._runs) < 160
    monkeypatch.setattr("engine.work.overlap.MOST_RUNS", 1000)
    some = Overlap((), ["many"], None, is_all=False)
    assert 0 < some.benchmarks[0].bugs < 30


def test_a_named_one_is_compared_though_it_is_slow(make, rows):
    _, report, _, _ = make(builder=rows, valid_fraction=0, compare=["slow"])
    assert [each["benchmark"] for each in report["overlap"] if not each["problem"]] == ["slow", "known"]


@pytest.mark.parametrize(
    ("share", "left"),
    [
        (None, {"renamed", "half", "other", "some"}),
        (0.3, {"other"}),
        (0.5, {"other", "some"}),
        (0.9, {"half", "other", "some"}),
    ],
)
def test_code_of_an_excluded_benchmark_is_left_out_also_where_it_is_only_like_it(make, rows, share, left):
    run, report, train, _ = make(builder=rows, valid_fraction=0, exclude=["known"], exclude_share=share)
    assert {row["bug_id"] for row in train} == left
    lost = listed(run.artifacts / "left_out.jsonl").rows
    assert {row["bug_id"] for row in lost} == {"same", "renamed", "half", "some"} - left
    assert {row["like"] for row in lost} == {"known/1"}
    assert report["overlap"][0]["same"] == 0


def test_what_is_left_out_for_its_length_does_not_overlap(make, rows):
    _, report, train, _ = make(builder=rows, valid_fraction=0, max_tokens=60)
    assert [row["bug_id"] for row in train] == ["other"]
    assert report["overlap"][0]["touched"] == 0


def with_code(id_, after, date=""):
    return Bug(id_, "python", "a.py", CODE, after, span_of_change(CODE, after), date=date)


def test_what_the_last_division_loses_does_not_overlap(build_of):
    fixed = CODE.replace("step8 -", "step8 +")
    bugs = [with_code(f"b{n}", fixed + f"    # {n}\n", "2021-01-01") for n in range(3)]
    older = Bug("old", "python", "a.py", "x = 1\n", "x = 2\n", span_of_change("x = 1\n", "x = 2\n"), date="2020-01-01")
    run, report, train, valid = build_of(*bugs, older, split="time", valid_rows=1, duplicates="keep")
    assert (len(train), len(valid)) == (1, 1)
    assert report["overlap"][0]["same"] == 1
    assert [row["bug_id"] for row in listed(run.artifacts / "overlap.jsonl").rows] == ["b0"]


def test_of_rows_with_one_id_each_counts(build_of):
    """A commit may fix several functions."""
    fixed = CODE.replace("step8 -", "step8 +")
    _, report, train, _ = build_of(with_code("b", fixed), with_code("b", fixed.replace("8 +", "8 *")), valid_fraction=0)
    assert len(train) == 2
    assert report["overlap"][0]["same"] == 2


def test_an_answer_that_writes_on_below_the_faulty_function_is_in_the_benchmark(build_of, benchmarks):
    """What it changes lies in no function of the benchmark."""
    benchmarks(Longer)
    written_on = LONGER.replace("def last", "def solve_again(a):\n    return a\n\n\ndef last")
    answer = Bug("answer", "python", "a.py", LONGER, written_on, span_of_change(LONGER, written_on))
    other = Bug("other", "python", "a.py", "x = 1\n", "x = 2\n", span_of_change("x = 1\n", "x = 2\n"))
    _, _, train, _ = build_of(answer, other, valid_fraction=0, exclude=["longer"])
    assert [row["bug_id"] for row in train] == ["other"]


def test_a_funnel_tells_of_each_loss():
    told = []
    funnel = Funnel(told=lambda *loss: told.append(loss))
    funnel.lose("empty", "row 1")
    funnel.lose("empty", "row 2")
    assert told == [("empty", "row 1"), ("empty", "row 2")]
    assert (funnel.lost, funnel.examples) == ({"empty": 2}, {"empty": "row 1"})
