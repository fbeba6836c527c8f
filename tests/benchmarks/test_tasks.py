"""HumanEval and MBPP: what a model reads, where its answer is cut, and which tests then decide."""

from __future__ import annotations

import gzip
import json

import pytest

from engine.domain import Outcome, Patch
from engine.errors import UserError
from engine.plugins import BENCHMARKS, REPRESENTATIONS

HUMANEVAL = {
    "task_id": "HumanEval/32",
    "prompt": 'import math\n\n\ndef poly(xs, x):\n    return sum(c * x**i for i, c in enumerate(xs))\n\n\ndef root(xs):\n    """Of a line."""\n',
    "entry_point": "root",
    "canonical_solution": "    return -xs[0] / xs[1]\n",
    "test": "\n\nMETADATA = {}\n\n\ndef check(candidate):\n    assert math.fabs(poly([2, 4], candidate([2, 4]))) < 1e-4\n",
}
MBPP = {
    "task_id": 367,
    "text": "Write a function to count nodes.",
    "code": "import sys\r\nclass Node:\r\n  def __init__(self, left=None):\r\n    self.left = left\r\ndef one():\r\n  return 1\r\ndef count(node):\r\n  return node and one() + count(node.left) or 0\r",
    "test_setup_code": "root = Node(Node())\r\nroot.mark = sys.maxsize",
    "test_list": ["assert count(root) == 2", "assert count(None) == 0"],
    "challenge_test_list": ["assert count(Node()) == 1"],
}
LEFT = REPRESENTATIONS.from_value("left_to_right")


@pytest.fixture
def made(tmp_path):
    def make(name, *rows, packed=False, **settings):
        file = {"humaneval": "HumanEval.jsonl", "mbpp": "mbpp.jsonl"}[name]
        text = "\n".join(json.dumps(row) for row in rows).encode()
        (tmp_path / (file + ".gz" * packed)).write_bytes(gzip.compress(text) if packed else text)
        return BENCHMARKS.from_value({"name": name, "folder": str(tmp_path), **settings})

    return make


@pytest.mark.parametrize("packed", [False, True])
def test_humaneval_is_asked_and_cut_as_in_its_paper(made, packed):
    (bug,) = made("humaneval", HUMANEVAL, packed=packed).bugs()
    assert (bug.id, bug.buggy_lines, bug.fixed_lines) == ("humaneval/32", "    pass\n", "    return -xs[0] / xs[1]\n")
    assert LEFT.encode(bug).prompt == HUMANEVAL["prompt"]
    for more in ("\ndef more():", "\nclass A:", "\nif x:", "\nprint(1)", "\n# so", "\nassert root([1, 2])"):
        assert LEFT.decode(f"    return -xs[0] / xs[1]{more}\n    x\n", bug).text == bug.fixed, more


def test_mbpp_is_asked_and_cut_as_in_its_paper(made):
    one = {**MBPP, "task_id": 2, "text": "Give one.", "code": "def one():\r\n  return 1", "test_list": ["assert one()"]}
    benchmark = made("mbpp", one, MBPP, shots=1, split="test")
    (bug,) = benchmark.bugs()
    assert [(each.id, each.kind) for each in benchmark.entries()] == [("mbpp/367", "test")]
    asked = "You are an expert Python programmer, and here is your task: {} Your code should pass these tests:\n\n{}\n[BEGIN]\n"
    first = asked.format("Give one.", "assert one()") + "def one():\n  return 1\n[DONE]\n\n"
    sample = LEFT.encode(bug)
    assert sample.prompt == first + asked.format(MBPP["text"], "\n".join(MBPP["test_list"]))
    assert sample.target.endswith("or 0\n[DONE]")
    assert bug.buggy_lines == "def count(*arguments):\n    pass\n"
    assert "\r" not in bug.fixed
    for more in ("### more", "\nif __name__ == 1:", "\nassert count(1)", "\ndef second():\n  pass", "\n"):
        assert LEFT.decode(f"def count(node):\n  return 1{more}", bug).text.endswith("\ndef count(node):\n  return 1\n")
    both = "def one():\n  return 1\ndef count(node):\n  return one()\n"
    assert LEFT.decode(f"{both}[DONE]\ndef x", bug).text.endswith(both), "an answer that ends as it should is not cut"


@pytest.mark.parametrize(("name", "row"), [("humaneval", HUMANEVAL), ("mbpp", MBPP)])
def test_the_reference_passes_and_an_empty_body_does_not(made, sandbox, name, row):
    benchmark = made(name, row)
    (bug,) = benchmark.bugs()
    fixed = benchmark.evaluate(bug, Patch(bug.id, bug.fixed), sandbox)
    assert fixed.is_plausible, fixed
    buggy = benchmark.evaluate(bug, Patch(bug.id, bug.buggy), sandbox)
    assert buggy.outcome is Outcome.TEST_FAILED, buggy
    bare = benchmark.evaluate(bug, Patch(bug.id, bug.fixed.replace("import sys\n", "")), sandbox)
    assert bare.is_plausible, "what the reference imports the solution need not"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{", "mbpp.jsonl, line 1: not JSON"),
        (b"3", "line 1: the row is no object"),
        (b'{"task_id": 1, "text": ""}', "line 1: the row lacks code, test_list; is it another benchmark's file"),
        (b"\xff", "cannot be read"),
        (b"", "holds no rows"),
    ],
)
def test_a_file_that_is_none_of_the_benchmarks_is_named(tmp_path, text, said):
    (tmp_path / "mbpp.jsonl").write_bytes(text)
    for folder in (tmp_path, tmp_path / "mbpp.jsonl"):
        benchmark = BENCHMARKS.from_value({"name": "mbpp", "folder": str(folder)})
        benchmark.check()
        with pytest.raises(UserError, match=said):
            benchmark.entries()
