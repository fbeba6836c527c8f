"""Every registered builder keeps the contract, on a small source of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pygit2
import pytest

from engine.assets import STARTER_MODEL
from engine.builders import Funnel
from engine.builders.contract import check
from engine.builders.previews import Part, Preview
from engine.domain import Bug, Preference, Sample, Segment, Span
from engine.params import Params
from engine.plugins import BUILDERS
from engine.training_set import Row, Shard

sys.path.append(str(Path(__file__).resolve().parents[1] / "builders"))
from answered_run import new_run, say_bug, say_patch

PAIR = {"buggy_function": "def f(a):\n    return a\n", "fixed_function": "def f(a):\n    a += 1\n    return a\n"}
PATCH = """--- a/p/a.py
+++ b/p/a.py
@@ -1,4 +1,4 @@
 def f(a):
-    return a - 1
+    return a + 1
 y = 1
 x = f(1)
"""
CASE = """class A {
    void bad() { use(null); }
    private void good1() { use(""); }
}
"""
SVEN = {"func_src_before": "def f():\n    run(a)\n", "func_src_after": "def f():\n    run([a])\n", "file_name": "a.py"}
TABLES = {  # a good row and a bad one for each builder that reads them
    "infilling": ({"prefix": "def f():", "suffix": "", "buggy_chunk": "    x = 1", "fixed_chunk": "    x = 2"}, {}),
    "instructions": ({"instruction": "Add.", "input": "1 1", "output": "2"}, {"instruction": "Add.", "output": ["2"]}),
    "texts": ({"input": "f", "output": "g"}, {"input": 3, "output": None}),
    "conversations": ({"messages": [{"human": "f?", "assistant": "g"}]}, {"messages": [{"role": "tool"}]}),
    "preferences": ({"prompt": "f", "chosen": "g", "rejected": "h"}, {"prompt": "f", "chosen": "g", "rejected": "g"}),
}
CODE = "def f(a, b):\n    if a < b:\n        return a\n    return b\n"

TESTS = """from lesser import f

def test_less():
    assert f(1, 2) == 1

def test_more():
    assert f(4, 3) == 3

def test_nothing():
    pass
"""


SERVICE = Path(__file__).resolve().parents[1] / "builders" / "writing_service.py"
WRITTEN = "Instruction: Say which of two is less\nInput: 1, 2\nOutput: 1\n"


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    """The address of a service that always writes the same."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "answer.txt").write_text(WRITTEN)
    process = subprocess.Popen([sys.executable, str(SERVICE), str(folder)], stdout=subprocess.PIPE, text=True)
    yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    process.terminate()
    process.wait(20)


@pytest.fixture
def settings(tmp_path, writer):
    """A small source for each builder that cannot do without one."""
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps({**PAIR, "n": n}) + "\n" for n in range(20)) + "broken\n")
    (tmp_path / "code.py").write_text(CODE)
    for name in ("patches", "juliet", "sven/train"):
        (tmp_path / name).mkdir(parents=True)
    for n in range(3):
        (tmp_path / "patches" / f"{n}.patch").write_text(PATCH)
        (tmp_path / "juliet" / f"CWE476_NULL_Pointer_Dereference__x_0{n}.java").write_text(CASE)
    (tmp_path / "patches" / "broken.diff").write_text("words\n")
    (tmp_path / "sven" / "train" / "cwe-078.jsonl").write_text(
        json.dumps(SVEN | {"vul_type": "cwe-078", "commit_link": "github.com/a/b/commit/1"}) + "\n"
    )
    git = pygit2.init_repository(str(tmp_path / "repository"), bare=True)
    parents: list = []
    for n, code in enumerate((CODE, CODE.replace("<", ">"), CODE)):
        folder = git.TreeBuilder()
        folder.insert("a.py", git.create_blob(code.encode()), pygit2.enums.FileMode.BLOB)
        who = pygit2.Signature("ada", "ada@x.org", 86400 * n)
        parents = [git.create_commit("refs/heads/main", who, who, "fix", folder.write(), parents)]
    git.set_head("refs/heads/main")
    tested = tmp_path / "tested"
    tested.mkdir()
    (tested / "lesser.py").write_text(CODE)
    (tested / "test_lesser.py").write_text(TESTS)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shard = Shard(tmp_path / name / "train.parquet")
        for n in range(20):
            shard.add(Row(f"{name}{n}", "", "p", "python", f"p{n}", "t", [1, 2], 1, 2, learned=[1, 2]))
        shard.close()
        (tmp_path / name / "tokenizer").mkdir()
        shutil.copy(STARTER_MODEL / "tokenizer.json", tmp_path / name / "tokenizer")
    seed = {"instruction": "Sort three numbers", "output": "sorted(numbers)"}
    (tmp_path / "seeds.jsonl").write_text(json.dumps(seed) + "\n")
    answered = new_run(tmp_path / "6")
    say_bug(answered)
    for rank, outcome in enumerate(("plausible", "test_failed", "plausible", "test_failed"), start=1):
        say_patch(answered, rank, outcome)
    for name, rows in TABLES.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in (*rows, *rows)) + "broken\n")
    return {
        **{name: {"file": str(tmp_path / f"{name}.jsonl")} for name in TABLES},
        "code_instructions": {"url": writer, "writer": "writer", "folder": str(tmp_path), "samples": 2},
        "self_instruct": {"url": writer, "writer": "writer", "seeds": str(tmp_path / "seeds.jsonl"), "samples": 1},
        "verdicts": {"runs": [str(answered.path)]},
        "verdict_pairs": {"runs": [str(answered.path)]},
        "verdict_answers": {"runs": [str(answered.path)]},
        "diffs": {"path": str(tmp_path / "patches")},
        "snapshots": {"path": str(tmp_path), "repositories": "one", "context_tokens": 0},
        "git_history": {"repository": str(tmp_path / "repository")},
        "juliet": {"path": str(tmp_path / "juliet")},
        "sven": {"folder": str(tmp_path / "sven")},
        "mixer": {"datasets": [f"{tmp_path / 'one'}=2", f"{tmp_path / 'two'}=1"]},
        "faults": {"folder": str(tmp_path), "samples": 30},
        "tested_faults": {"folder": str(tested), "samples": 4},
        "columns": {"file": str(tmp_path / "pairs.jsonl")},
    }


@pytest.mark.parametrize("name", BUILDERS.names())
def test_the_contract_holds(name, settings):
    check(BUILDERS.create(BUILDERS.params({"name": name, **settings.get(name, {})})))


GOOD = Bug("a", "python", "a.py", "x\n", "y\n", Span(1, 1))


class Stub:
    """A builder of whatever a test gives it."""

    name = "stub"

    class Params(Params):
        name: str = "stub"
        column: str = ""

    def __init__(self, *made, makes="bugs", total=None, changes=False, counts=True, choices=None) -> None:
        self.makes, self._made, self._total = makes, list(made), total
        self._changes, self._counts, self._choices = changes, counts, choices or {}

    def stream(self, seed: int, funnel: Funnel):
        if self._counts:
            funnel.source = len(self._made)
        yield from list(self._made)
        if self._changes:
            self._made.reverse()

    def total(self) -> int | None:
        return self._total

    def choices(self):
        return self._choices


class PreviewStub(Stub):
    """One that shows what a test gives it."""

    def __init__(self, shown, fits=True) -> None:
        super().__init__(GOOD)
        self._shown, self._fits = shown, fits

    def preview(self, rows: int):
        return self._shown

    def fits(self):
        return self._fits


ROW = {"a": "x"}
SHOWN = Preview(["a"], [ROW] * 2, Funnel(), "", {"a": "column"}, [[Part("read", "x")], "empty"])
SAMPLE = Sample("a", (Segment("read"), Segment("learned", True), Segment("read"), Segment("learned", True)))
PREFERENCE = Preference("a", "prompt", "better", "worse")


@pytest.mark.parametrize(
    "stub",
    [
        Stub(GOOD, total=1, choices={"column": ["a", "b"]}),
        PreviewStub(SHOWN),
        PreviewStub(None),
        Stub(SAMPLE, SAMPLE, makes="samples"),
        Stub(PREFERENCE, makes="preferences"),
    ],
)
def test_the_contract_has_nothing_against_the_others(stub):
    check(stub)


@pytest.mark.parametrize(
    ("stub", "said"),
    [
        (Stub(), "makes nothing"),
        (Stub(replace(GOOD, fixed="x\n")), "are the same"),
        (Stub(replace(GOOD, span=Span(1, 3))), "outside its 1 lines"),
        (Stub(GOOD, GOOD), "repeats an id"),
        (Stub(replace(GOOD, buggy="x\ny\n", fixed="xy\n")), "ends within a line"),
        (Stub(replace(GOOD, buggy="x\ny\n", fixed="z\nw\n")), "changes lines outside"),
        (Stub(replace(GOOD, fixed="'\ud800'\n")), "cannot be written as UTF-8"),
        (Stub(GOOD, counts=False), "0 read, 0 lost, 1 made"),
        (Stub(GOOD, replace(GOOD, id="b"), changes=True), "same seed, other bugs"),
        (Stub(GOOD, replace(GOOD, id="b"), total=1), "2 of at most 1"),
        (Stub(GOOD, makes="samples"), "says it makes samples and makes a Bug"),
        (Stub(GOOD, makes="patches"), "makes 'patches'"),
        (Stub(GOOD, choices={"colum": ["a"]}), "choices for 'colum', which is none of its settings"),
        (Stub(GOOD, choices={"column": [1]}), "a choice for 'column' is not text"),
        (PreviewStub(replace(SHOWN, rows=[ROW] * 4)), "a preview of 4 rows"),
        (PreviewStub(replace(SHOWN, made=["empty"])), "says of some rows what they become"),
        (PreviewStub(replace(SHOWN, roles={"a": "colum"})), "none of its settings"),
        (PreviewStub(replace(SHOWN, rows=[{"b": "x"}] * 2)), "a row with other columns"),
        (PreviewStub(replace(SHOWN, made=["empty", []])), "becomes something without parts"),
        (PreviewStub(SHOWN, fits=None), "does not say whether"),
        (Stub(replace(SAMPLE, segments=(Segment("read"),)), makes="samples"), "nothing of it is learned"),
        (Stub(replace(PREFERENCE, rejected="better"), makes="preferences"), "are the same"),
    ],
)
def test_the_contract_finds(stub, said):
    with pytest.raises(AssertionError, match=said):
        check(stub)
