"""Rows of other programs become ours: recognised by their fields, with what they say, and a sentence where not."""

from __future__ import annotations

import json

import pytest

from engine.candidates import by_bug, ids_of, patch_of, read_candidates
from engine.domain import Bug, span_of_change
from engine.errors import UserError
from engine.exchange.reading import OTHERS, recognised

BUGGY = "class A {\n    int half(int n) {\n        return n;\n    }\n\n    int x;\n}\n"
FIXED = BUGGY.replace("return n", "return n / 2")
BUG = Bug("humaneval-java/HALF", "java", "A.java", BUGGY, FIXED, span_of_change(BUGGY, FIXED))
METHOD, FIXED_METHOD = ("".join(text.splitlines(keepends=True)[1:4]) for text in (BUGGY, FIXED))
DIFF = "--- a/A.java\n+++ b/A.java\n@@ -3 +3 @@\n-        return n;\n+        return n / 2;\n"
PROMPT = METHOD.replace("        return n;\n", "// buggy code\n//         return n;\n<FILL_ME>\n")
SWE = {"instance_id": "HALF", "model_name_or_path": "gpt-x", "model_patch": DIFF}
ELLE = {"identifier": "HALF", "buggy_code": METHOD, "fixed_code": FIXED_METHOD, "prompt_strategy": "instruct",
        "prompt": "p", "ground_truth": DIFF}  # fmt: skip
EVALUATED = [{"generation": FIXED_METHOD, "exact_match": True, "ast_match": True, "compile": True, "test": True},
             {"generation": METHOD, "exact_match": False, "ast_match": False, "compile": False, "test": False},
             {"generation": None, "exact_match": False, "ast_match": False, "compile": False, "test": False},
             None, {"generation": METHOD, "compile": True, "test": None}]  # fmt: skip
LLAMA = {"bug_id": "HALF", "gold_patch": "        return n / 2;\n"}
FILES = {  # name -> (title, rows, outcomes of the candidates, whether the first one is the fix)
    "SWE-bench predictions": ([SWE], [None]),
    "EvalPlus samples": ([{"task_id": "humaneval-java/HALF", "solution": FIXED}], [None]),
    "HumanEval samples": (
        [{"task_id": "HALF", "completion": "        return n / 2;\n", "passed": True, "result": "passed"},
         {"task_id": "HALF", "completion": "", "passed": False, "result": "timed out"},
         {"task_id": "HALF", "completion": "", "passed": False, "result": "failed: x"}],
        ["plausible", "timeout", "test_failed"],
    ),
    "elle-elle-aime candidates": ([{**ELLE, "generation": [FIXED_METHOD, None]}], [None, None]),
    "elle-elle-aime evaluations": (
        [{**ELLE, "generation": [], "evaluation": EVALUATED}],
        ["plausible", "compile_error", "no_patch", "no_patch", "not_run"],
    ),
    "RepairLLaMA predictions": (
        [{**LLAMA, "buggy_code": PROMPT, "output": {"0": {"original_output": "o", "output_patch": "        return n / 2;"},
                                                   "1": {"original_output": "o", "output_patch": ""}}}],
        [None, None],
    ),
}  # fmt: skip


@pytest.fixture
def written(tmp_path):
    def write(rows, name="patches.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write


def test_every_format_that_is_read_is_tested_here():
    assert {reader.title for reader in OTHERS} == {*FILES, "patches that this program exported"}


@pytest.mark.parametrize("title", FILES)
def test_rows_are_recognised_and_their_first_patch_is_the_fix(written, title):
    rows, outcomes = FILES[title]
    path = written(rows)
    found = recognised(path)
    assert (found.title, found.has_verdicts) == (title, outcomes[0] is not None)
    candidates = read_candidates(path)
    assert [each.row.get("outcome") for each in candidates] == outcomes
    assert {ids_of([BUG.id])(each.bug_id) for each in candidates} == {BUG.id}
    (ranked,) = by_bug(candidates).values()
    made = patch_of(ranked[0], BUG).text
    comments = "// buggy code\n//         return n;\n" if title.startswith("Repair") else ""
    assert made == FIXED.replace("        return n / 2", f"{comments}        return n / 2")


def test_whole_functions_of_repairllama(written):
    row = {**LLAMA, "buggy_code": METHOD, "output": {"0": {"output_diff": FIXED_METHOD}}}
    (candidate,) = read_candidates(written([row]))
    assert patch_of(candidate, BUG).text == FIXED


def test_who_made_the_patches_is_found_where_it_is_said(written):
    assert recognised(written([SWE])).who == "gpt-x"
    assert recognised(written([{"bug_id": "a", "lines": "", "maker": "me"}])).who == "me"
    assert recognised(written([{"bug_id": "a", "lines": ""}])).who == ""


@pytest.mark.parametrize("rows", [[SWE, SWE], {"HALF": SWE, "other": SWE}])
def test_one_json_value_may_hold_all_rows(tmp_path, rows):
    path = tmp_path / "preds.json"
    path.write_text(json.dumps(rows, indent=1))
    assert [(each.bug_id, each.line) for each in read_candidates(path)] == [("HALF", 1), ("HALF", 2)]


def test_a_rank_that_is_no_number_is_named(tmp_path):
    (tmp_path / "x.csv").write_text("bug_id,lines,rank\na,,2\na,,nan\n")
    with pytest.raises(UserError, match="x.csv, line 3: rank should be a number, got nan"):
        read_candidates(tmp_path / "x.csv")


def test_other_fields_are_kept_and_a_csv_file_is_read(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text('instance_id,model_name_or_path,model_patch,cost\nHALF,m,"\'--- a/A.java\n+x",0.5\nHALF,m,,1\n')
    first, second = read_candidates(path)
    assert (first.text, first.row["cost"]) == ("--- a/A.java\n+x", "0.5")
    assert (second.text, second.line) == (None, 4)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"id": 1, "text": "x"}], "line 1: these are no patches in a known format: the fields are 'id, text'"),
        (
            [{}],
            "the fields are none. Known are bug_id with one of function, lines, file, patch; bug_id, source, rank",
        ),
        ([SWE, {"instance_id": "b"}], "line 2: SWE-bench predictions have model_patch, and this row has not"),
        ([{**ELLE, "generation": "x"}], "line 1: generation should be a list, got 'x'; the file looks like elle"),
        ([{**ELLE, "evaluation": [{"generation": 3}]}], "a generation should be a text or null, got"),
        ([{**LLAMA, "output": {"0": {"output_patch": ""}}}], "buggy_code should be a text"),
        ([{**LLAMA, "buggy_code": "", "output": {"0": 5}}], "output 0 should have output_patch, got 5"),
        ([{**SWE, "model_patch": 5}], "line 1: patch should be a text or null, got 5"),
        ([{**SWE, "instance_id": 5}], "line 1: bug_id should name a bug, got 5"),
    ],
)
def test_what_is_not_understood_is_said_with_its_line(written, rows, said):
    with pytest.raises(UserError, match=said.replace("(", r"\(")):
        read_candidates(written(rows))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("humaneval/3", "humaneval/3"),
        ("HumanEval/3", "humaneval/3"),
        ("Mbpp/3", "Mbpp/3"),  # of another benchmark
        ("ADD", "humaneval/add"),
        ("twice", "twice"),  # two bugs could be meant
        ("nothing", "nothing"),
    ],
)
def test_names_that_others_give_to_a_bug(given, found):
    assert ids_of(["humaneval/3", "humaneval/add", "humaneval/twice", "humaneval/TWICE"])(given) == found
