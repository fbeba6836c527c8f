"""What is read out of the logs of real tools, each kept in `golden` with what should be read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from engine.failures.reading import COMPILERS, TESTS, read

GOLDEN = Path(__file__).parent / "golden"
LOGS = sorted(path.stem for path in GOLDEN.glob("*.log"))


def extracted(log: str) -> dict:
    found = read(log)
    return json.loads(
        json.dumps(
            {
                "complaints": [asdict(each) for each in found.complaints],
                "failed": [asdict(each) for each in found.failed],
            }
        )
    )


def failures(name: str) -> dict[str, tuple]:
    found = read((GOLDEN / f"{name}.log").read_text(encoding="utf-8"))
    return {each.test: (each.error, each.expected, each.actual) for each in found.failed}


@pytest.mark.parametrize("name", LOGS)
def test_a_real_log(name):
    expected = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert extracted((GOLDEN / f"{name}.log").read_text(encoding="utf-8")) == expected


def test_every_tool_has_a_log():
    read_by = {"javac": "javac", "gcc": "gcc", "python": "own_python_syntax", "defects4j": "defects4j_tests"}
    read_by |= {"maven": "maven_junit4", "gradle": "gradle_junit4", "ant": "ant_junit4", "pytest": "pytest_short"}
    read_by |= {"unittest": "unittest", "cases": "own_c", "junit": "junit5"}
    for tool, reader in (COMPILERS | TESTS).items():
        lines = (GOLDEN / f"{read_by[tool]}.log").read_text(encoding="utf-8").split("\n")
        assert reader(lines), tool


@pytest.mark.parametrize("name", [name for name in LOGS if "compile" in name or name in ("javac", "own_javac")])
def test_the_first_error_of_the_java_compiler_is_the_same_below_every_tool(name):
    first = read((GOLDEN / f"{name}.log").read_text(encoding="utf-8")).complaints[0]
    assert (first.message, first.place.line) == ("cannot find symbol", 10)
    assert first.place.is_in("src/main/java/shop/Till.java")


@pytest.mark.parametrize(
    "name",
    ["junit4", "junit5", "maven_junit4", "maven_junit5", "ant_junit4", "gradle_junit4", "own_java", "defects4j_tests"],
)
def test_expected_and_actual_of_java_are_the_right_way_round(name):
    assert failures(name)["counts"][1:] == ("1", "2")


@pytest.mark.parametrize("name", ["pytest_short", "pytest_long", "unittest", "own_python"])
def test_in_python_the_side_that_is_written_out_is_the_expected_one(name):
    found = failures(name)
    assert found["test_counts"] == found["test_counts_the_other_way"] == ("AssertionError", "1", "2")


@pytest.mark.parametrize("name", ["junit4", "junit5", "ant_junit4", "gradle_junit4", "own_java", "defects4j_tests"])
def test_the_stack_has_the_lines_of_the_users_file_the_innermost_first(name):
    found = read((GOLDEN / f"{name}.log").read_text(encoding="utf-8"))
    (totals,) = (each for each in found.failed if each.test == "totals")
    own = [place for place in totals.places if place.is_in("src/main/java/shop/Cart.java")]
    assert [(place.line, place.function) for place in own] == [(57, "price"), (19, "total")]
