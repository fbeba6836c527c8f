"""The texts of RepairLLaMA to the letter, and the settings that change them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.domain import Bug, Span, span_of_change
from engine.plugins import REPRESENTATIONS
from engine.representations import CannotShow

BUGGY = "int m(int a,int b){\n  int s=a-b;\n  log(s);\n  return s;\n}\n"
FIXED = "int m(int a,int b){\n  int s=a+b;\n  log(s);\n  return s/2;\n}\n"
OR2 = "  int s=a+b;\n  log(s);\n  return s/2;\n"
DIFF = (
    " int m(int a,int b){\n-  int s=a-b;\n+  int s=a+b;\n   log(s);\n\n"
    "   log(s);\n-  return s;\n+  return s/2;\n }\n"
)  # fmt: skip
IR2 = (
    "int m(int a,int b){\n// buggy lines start:\n  int s=a-b;\n  log(s);\n  return s;\n// buggy lines end\n}\n"
    "// fixed lines:\n"
)
IR3 = "int m(int a,int b){\n  <FILL_ME>\n}\n"
IR4 = (
    "int m(int a,int b){\n// buggy code\n//   int s=a-b;\n//   log(s);\n//   return s;\n  <FILL_ME>\n}\n"
)  # fmt: skip
FIM = frozenset({"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>"})


def function(buggy: str, fixed: str, language: str = "java") -> Bug:
    return Bug("b", language, "b", buggy, fixed, span_of_change(buggy, fixed), is_function=True)


def shown(name: str, **settings):
    return REPRESENTATIONS.from_value({"name": name, **settings})


def texts(name: str, bug: Bug, **settings) -> tuple[str, str]:
    """Prompt and target as published."""
    sample = shown(name, mark="literal", **settings).for_vocabulary(FIM).encode(bug)
    return sample.prompt, sample.target


@pytest.mark.parametrize(
    ("name", "prompt", "target"),
    [
        ("ir1_or1", BUGGY, FIXED),
        ("ir1_or3", BUGGY, DIFF),
        ("ir1_or4", BUGGY, DIFF),
        ("ir2_or2", IR2, OR2),
        ("ir3_or2", IR3, OR2),
        ("ir4_or2", IR4, OR2),
    ],
)
def test_the_published_texts(name, prompt, target):
    assert texts(name, function(BUGGY, FIXED)) == (prompt, target)


ADDED = function("void f() {\n  a();\n\n  c();\n}\n", "void f() {\n  a();\n    // why\n    b();\n\n  c();\n}\n")
GONE = function(ADDED.fixed, ADDED.buggy)


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("ir2_or2", "void f() {\n  a();\n// buggy lines start:\n\n// buggy lines end\n\n  c();\n}\n// fixed lines:\n"),
        ("ir3_or2", "void f() {\n  a();\n    <FILL_ME>\n\n  c();\n}\n"),
        ("ir4_or2", "void f() {\n  a();\n// buggy code\n// \n    <FILL_ME>\n\n  c();\n}\n"),
    ],
)
def test_an_insertion_has_one_empty_faulty_line_and_the_indent_of_what_is_inserted(name, prompt):
    assert texts(name, ADDED) == (prompt, "    // why\n    b();\n")


def test_a_deletion_has_an_empty_target():
    assert texts("ir4_or2", GONE) == (
        "void f() {\n  a();\n// buggy code\n//     // why\n//     b();\n    <FILL_ME>\n\n  c();\n}\n",
        "",
    )
    assert texts("ir1_or3", GONE)[1] == " void f() {\n   a();\n-    // why\n-    b();\n \n   c();\n }\n"
    assert texts("ir1_or4", GONE)[1] == "   a();\n-    // why\n-    b();\n \n"


def test_the_region_is_that_of_difflib_and_not_what_is_left_when_equal_ends_are_cut_off():
    buggy = "f() {\n  if (a) {\n    x();\n  }\n  if (b) {\n    y();\n  }\n}\n"
    fixed = "f() {\n  if (a) {\n    x();\n  }\n  if (c) {\n    z();\n  }\n  if (b) {\n    y();\n  }\n}\n"
    bug = function(buggy, fixed)
    assert bug.fixed_lines == "  if (c) {\n    z();\n  }\n"
    assert bug.span == Span(5, 4)
    moved = function(fixed.replace("c", "a"), buggy)  # `if (a)` stands there twice
    prompt, target = texts("ir3_or2", moved)
    whole = prompt.replace(prompt[prompt.index("  <FILL") : prompt.index("ME>\n") + 4], target)
    assert whole == moved.fixed


def test_of_a_blank_first_line_the_hole_has_all_as_in_the_published_code():
    bug = function("f() {\n  a();\n}\n", "f() {\n  \n  b();\n}\n")
    assert texts("ir3_or2", replace(bug, buggy="f() {\n}\n", span=Span(2, 1)))[0] == "f() {\n  \n<FILL_ME>\n}\n"


PYTHON = '''\
import os

def f(a):
    """Doc."""
    # note

    b = a - 1  # here
    return b


def g():
    pass
'''


def in_file(**changed) -> Bug:
    fixed = PYTHON.replace("a - 1", "a + 1")
    return replace(Bug("b", "python", "b.py", PYTHON, fixed, Span(7, 7)), **changed)


def test_of_a_file_the_function_is_shown_with_the_comment_marks_of_its_language():
    assert texts("ir4_or2", in_file()) == (
        'def f(a):\n    """Doc."""\n    # note\n\n# buggy code\n#     b = a - 1  # here\n    <FILL_ME>\n    return b\n',
        "    b = a + 1  # here\n",
    )
    assert texts("ir2_or2", in_file(), strip=True)[0] == (
        "def f(a):\n# buggy lines start:\n    b = a - 1  # here\n# buggy lines end\n    return b\n# fixed lines:\n"
    )
    assert texts("ir3_or2", in_file(), context="file")[0] == PYTHON.replace("b = a - 1  # here", "<FILL_ME>")


def test_a_text_that_is_one_function_is_shown_whole():
    java = "/** Doc. */\nA() {\n  run(new B() {\n    void f() {\n      a();\n    }\n  });\n}\n"
    bug = function(java, java.replace("a()", "b()"))
    assert texts("ir1_or1", bug) == (java, bug.fixed)
    assert texts("ir1_or1", replace(bug, is_function=False))[0] == "    void f() {\n      a();\n    }\n"


def test_comments_and_blank_lines_are_left_out_where_asked():
    bug = in_file()
    bare = "def f(a):\n    b = a - 1\n    return b\n"
    assert texts("ir1_or1", bug, strip=True) == (bare, bare.replace("-", "+"))
    read = shown("ir1_or1", strip=True)
    assert read.decode(bare.replace("-", "+"), bug).text == bug.fixed.replace("  # here", "")
    also = bare.replace("-", "+").replace("return b", "return -b")
    assert read.decode(also, bug).text == bug.fixed.replace("  # here", "").replace("return b", "return -b")
    assert shown("ir1_or3", strip=True).decode(" def f(a):\n-    b = a - 1\n+    b = 0\n", bug).text == (
        PYTHON.replace("b = a - 1  # here", "b = 0")
    ), "the comments in between stay"


def test_what_only_changes_comments_cannot_be_shown_without_them():
    bug = in_file(fixed=PYTHON.replace("here", "there"))
    for name in ("ir1_or3", "ir1_or4"):
        with pytest.raises(CannotShow, match="the fix changes comments"):
            texts(name, bug, strip=True)


@pytest.mark.parametrize("name", ["ir1_or1", "ir1_or3", "ir2_or2", "ir3_or2", "ir4_or2"])
def test_a_sentence_and_what_is_known_stand_above_the_code(name):
    made = shown(name, mark="literal", instruction="Fix the bug.").encode(in_file(), ["hint: one more"]).prompt
    first, *lines = made.split("\n")
    assert first == "Fix the bug."
    assert "# hint: one more" in lines


def test_the_marks_of_a_model_stay_those_it_was_trained_on():
    made = shown("ir4_or2").for_vocabulary(FIM).encode(in_file())
    assert made.prompt == (
        "<|fim_prefix|>def f(a):\n    # buggy code\n#     b = a - 1  # here\n<|fim_suffix|>    return b\n<|fim_middle|>"
    )
    with_sentence = shown("ir3_or2", instruction="Fix it.").encode(in_file()).prompt
    assert with_sentence.startswith("<|fim_prefix|>Fix it.\ndef f(a):\n")


@pytest.mark.parametrize("mark", ["fim", "literal"])
def test_a_text_begins_with_the_models_token_for_that(mark):
    begun, plain = (
        shown("ir4_or2", mark=mark, begin=begin).for_vocabulary(FIM).encode(in_file())
        for begin in ("<|endoftext|>", "")
    )
    assert begun.prompt == f"<|endoftext|>{plain.prompt}", (
        "a token of the model, which code may not hold, may be asked for"
    )
    assert begun.target == plain.target


def test_a_token_that_begins_a_text_is_read_as_one():
    from engine.assets import STARTER_MODEL
    from engine.models.loading import load_tokenizer

    read = load_tokenizer(STARTER_MODEL)("<|endoftext|>def f", add_special_tokens=False)["input_ids"]
    assert read[0] == 0
    assert len(read) == 3


def test_code_that_spells_what_the_model_reads_otherwise_is_refused():
    bug = function("a = '<FILL_ME>';\nb();\n", "a = '<FILL_ME>';\nc();\n")
    with pytest.raises(CannotShow, match="<FILL_ME>"):
        texts("ir4_or2", bug)
    assert texts("ir1_or1", bug)[0] == bug.buggy
    ends = function("a = '<|endoftext|>';\n", "a = 1;\n")
    for name in ("ir1_or1", "ir2_or2", "ir4_or2"):
        with pytest.raises(CannotShow, match="endoftext"):
            texts(name, ends)
    assert shown("ir1_or1").encode(ends).target == "a = 1;\n", "of a service's model no tokens are known"


def test_the_published_texts_need_no_tokens_of_the_model():
    for name in ("ir1_or1", "ir2_or2"):
        assert shown(name).for_vocabulary(frozenset()).encode(function(BUGGY, FIXED)).target
    assert shown("ir4_or2", mark="literal").for_vocabulary(None).encode(function(BUGGY, FIXED)).prompt == IR4


@pytest.mark.parametrize("name", ["ir2_or2", "ir3_or2", "ir4_or2"])
def test_fixed_lines_replace_the_region(name):
    read = shown(name, mark="literal").for_vocabulary(FIM)
    bug = function(BUGGY, FIXED)
    assert read.decode(OR2, bug).text == FIXED
    assert read.decode("  return 0;<|endoftext|>x", bug).text == "int m(int a,int b){\n  return 0;\n}\n"
    assert read.decode("", bug).text == "int m(int a,int b){\n}\n"
    assert read.trim("  return 0;\n  }\n}\nint", bug) == "  return 0;\n  }\n"


def test_an_unfinished_function_is_cut_behind_its_end():
    read, bug = shown("ir1_or1"), function(BUGGY, FIXED)
    assert read.trim(FIXED + "\nint other() {\n  return", bug) == FIXED
    assert read.trim("int m(int a,int b){\n  return", bug) == "int m(int a,int b){\n  return"
    outside = Bug("b", "python", "b.py", "a = 1\n", "a = 2\n", Span(1, 1))
    assert read.trim("a = 2\nb", outside) == "a = 2\nb"


def test_an_empty_answer_is_no_function():
    bug = function(BUGGY, FIXED)
    assert shown("ir1_or1").decode(" \n", bug).reason == "the answer is empty"
    with pytest.raises(CannotShow, match="the fix leaves nothing"):
        shown("ir1_or1").encode(function("a();\n", ""))
