"""The bugs under assets/bugs are well formed; what their tests do is checked where they are run."""

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from tree_sitter import Language, Node, Parser
from tree_sitter_java import language as java_language

from engine.domain import lines_of, span_of_change

BUGS = Path(__file__).parents[2] / "assets" / "bugs"
FOLDERS = sorted(path.parent for path in BUGS.glob("*/*/bug.json"))
KINDS = {
    "inverted_condition",
    "missing_call",
    "missing_guard",
    "missing_update",
    "mutable_default",
    "off_by_one",
    "resource_not_closed",
    "swapped_arguments",
    "wrong_base_case",
    "wrong_comparison",
    "wrong_condition",
    "wrong_constant",
    "wrong_function",
    "wrong_operator",
    "wrong_order",
    "wrong_return",
    "wrong_variable",
}
KEYS = {"id", "language", "file", "kind", "cwe", "summary", "span", "failing", "passing"}
TELLTALE = re.compile(r"\b(bugs?|buggy|fix(ed|es|me)?|faulty?|wrong|broken|incorrect|mutant|todo)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    folder: Path
    meta: dict
    buggy: str
    fixed: str
    tests: str


def read(folder: Path) -> Entry:
    meta = json.loads((folder / "bug.json").read_text(encoding="utf-8"))
    file = Path(meta["file"])
    tests = f"test_{file.name}" if meta["language"] == "python" else f"{file.stem}Test.java"
    texts = [
        (folder / part).read_text(encoding="utf-8") for part in (f"buggy/{file}", f"fixed/{file}", f"tests/{tests}")
    ]
    return Entry(folder, meta, *texts)


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def entry(request: pytest.FixtureRequest) -> Entry:
    return read(request.param)


def java_tree(code: str) -> Node:
    return Parser(Language(java_language())).parse(code.encode()).root_node


def names_of_tests(entry: Entry) -> list[str]:
    if entry.meta["language"] == "python":
        found = [node.name for node in ast.parse(entry.tests).body if isinstance(node, ast.FunctionDef)]
        return [name for name in found if name.startswith("test_")]
    return re.findall(r"@Test\b.*\n\s*public void (\w+)\(", entry.tests)


def test_enough_bugs() -> None:
    metas = [read(folder).meta for folder in FOLDERS]
    languages = [meta["language"] for meta in metas]
    assert languages.count("python") >= 40
    assert languages.count("java") >= 12
    assert sum("cwe" in meta for meta in metas) >= 8
    assert len({meta["id"] for meta in metas}) == len(metas)


def test_description(entry: Entry) -> None:
    meta = entry.meta
    assert set(meta) | {"cwe"} == KEYS
    assert meta["id"] == f"pocket/{entry.folder.name}"
    assert meta["language"] == entry.folder.parent.name
    assert meta["kind"] in KINDS
    assert re.fullmatch(r"CWE-[1-9]\d*", meta.get("cwe", "CWE-1"))
    assert re.fullmatch(r"[A-Z][^\n]*\.", meta["summary"])


def test_span(entry: Entry) -> None:
    span = span_of_change(entry.buggy, entry.fixed)
    assert entry.meta["span"] == [span.start, span.end]
    assert span.end - span.start < 2
    assert len(lines_of(entry.buggy)) <= 45


def test_code_parses(entry: Entry) -> None:
    for code in (entry.buggy, entry.fixed, entry.tests):
        if entry.meta["language"] == "python":
            ast.parse(code)
        else:
            assert not java_tree(code).has_error


def test_tests_exist(entry: Entry) -> None:
    failing, passing = entry.meta["failing"], entry.meta["passing"]
    assert failing
    assert passing
    assert sorted(failing + passing) == sorted(names_of_tests(entry))
    assert 3 <= len(failing + passing) <= 6


def test_no_words_that_reveal_the_fault(entry: Entry) -> None:
    for text in (entry.buggy, entry.fixed, entry.tests):
        assert not TELLTALE.search(text)
