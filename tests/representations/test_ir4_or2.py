"""IR4 x OR2: the prompt of the starter adapter, and fixes that come back exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain import Bug, span_of_change
from engine.representations import CannotShow
from engine.representations.ir4_or2 import Ir4Or2

FILE = '''\
import math

def area(r):
    """Of a circle."""
    # pi r squared

    if r < 0:
        return 0
    return math.pi * r * r  # done

def other():
    pass
'''


def bug(buggy: str, fixed: str, language: str = "python") -> Bug:
    return Bug("b", language, "b", buggy, fixed, span_of_change(buggy, fixed), kind="k")


def ir4(**settings) -> Ir4Or2:
    return Ir4Or2(Ir4Or2.Params(**settings))


def test_the_prompt_is_the_one_the_starter_adapter_was_trained_on():
    shown = ir4().encode(bug(FILE, FILE.replace("        return 0\n", "        return None\n")))
    assert shown.prompt == (
        "<|fim_prefix|>def area(r):\n    if r < 0:\n        # buggy code\n#         return 0\n"
        "<|fim_suffix|>    return math.pi * r * r\n<|fim_middle|>"
    )
    assert shown.target == "        return None\n"
    assert shown.kind == "k"


def test_an_insertion_has_no_faulty_lines_and_the_indent_of_what_follows():
    shown = ir4().encode(bug(FILE.replace("    if r < 0:\n        return 0\n", ""), FILE))
    assert "def area(r):\n    # buggy code\n<|fim_suffix|>    return" in shown.prompt
    assert shown.target == "    if r < 0:\n        return 0\n"


def test_an_insertion_at_the_end_is_in_the_function_before():
    fixed = "def f(a):\n    a += 1\n    return a\n"
    shown = ir4().encode(bug("def f(a):\n    a += 1\n", fixed))
    assert shown.prompt == "<|fim_prefix|>def f(a):\n    a += 1\n    # buggy code\n<|fim_suffix|><|fim_middle|>"
    assert shown.target == "    return a\n"


def test_a_deletion_has_an_empty_target():
    one = bug("def f(a):\n    a += 1\n    return a\n", "def f(a):\n    return a\n")
    shown = ir4().encode(one)
    assert shown.target == ""
    assert ir4().decode("", one).text == one.fixed


def test_java_is_commented_with_slashes():
    code = "class A {\n  int f(int a) {\n    return a - 1;\n  }\n}\n"
    shown = ir4().encode(bug(code, code.replace("-", "+"), "java"))
    assert shown.prompt == (
        "<|fim_prefix|>  int f(int a) {\n    // buggy code\n//     return a - 1;\n<|fim_suffix|>  }\n<|fim_middle|>"
    )


def test_outside_of_functions_the_whole_file_is_shown():
    shown = ir4().encode(bug(FILE, FILE.replace("import math", "import cmath as math")))
    assert shown.prompt.startswith("<|fim_prefix|># buggy code\n# import math\n<|fim_suffix|>def area(r):\n")
    assert shown.prompt.endswith("def other():\n    pass\n<|fim_middle|>")


def test_comments_and_the_file_can_be_kept():
    shown = ir4(strip=False, context="file").encode(bug(FILE, FILE.replace("pass", "return")))
    assert "# pi r squared\n\n" in shown.prompt
    assert shown.prompt.startswith("<|fim_prefix|>import math\n\n")


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("    return 2", "def f():\n    return 2\n\nx = 1\n"),  # an end is added where lines follow
        ("    return 2\n<|endoftext|>junk", "def f():\n    return 2\n\nx = 1\n"),
        ("    return 2\n<|fim_pad|>", "def f():\n    return 2\n\nx = 1\n"),
        ("", "def f():\n\nx = 1\n"),
        ("    return 1\n", "def f():\n    return 1\n\nx = 1\n"),  # unchanged is a patch all the same
    ],
)
def test_answers_replace_the_span(completion, expected):
    code = "def f():\n    return 1\n\nx = 1\n"
    assert ir4().decode(completion, bug(code, code.replace("1\n\n", "2\n\n"))).text == expected


def test_an_answer_in_a_file_of_windows_gets_its_line_ends():
    code = "def f():\r\n    return 1\r\n"
    one = bug(code, code.replace("1", "2"))
    assert "\r" not in ir4().encode(one).prompt
    assert ir4().encode(one).target == "    return 2\n"
    assert ir4().decode("    x = 2\n    return x\n", one).text == "def f():\r\n    x = 2\r\n    return x\r\n"


def test_a_fix_that_changes_line_ends_is_refused():
    with pytest.raises(CannotShow, match="the fix changes how lines end"):
        ir4().encode(bug("a = 1\r\nb = 2\r\n", "a = 1\r\nb = 3\n"))


def test_code_that_spells_a_special_token_is_refused():
    with pytest.raises(CannotShow, match=r"the code holds the special token <\|fim_suffix\|>"):
        ir4().encode(bug("a = '<|fim_suffix|>'\n", "a = 2\n"))
    assert ir4(fim="starcoder").encode(bug("a = '<|fim_suffix|>'\n", "a = 2\n")).target == "a = 2\n"


def test_the_tokenizer_decides_the_tokens():
    known = ir4().for_vocabulary(frozenset({"<fim_prefix>", "<fim_suffix>", "<fim_middle>"}))
    assert known.params.fim == "starcoder"
    assert known.encode(bug("a\n", "b\n")).prompt == "<fim_prefix># buggy code\n# a\n<fim_suffix><fim_middle>"


LINE = st.sampled_from(
    [
        "def f(a):",
        "    return a",
        "    # note",
        "",
        "  ",
        "class A:",
        '    """doc',
        '    """',
        "x = 'é'",
        "}",
        "\tif a:",
        "a\x0cb",
        "\u2028",
    ]
)


@st.composite
def edits(draw) -> Bug:
    """A file of some lines in which a few consecutive ones were replaced, of either convention for line ends."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    before, old, new, after = (draw(st.lists(LINE, max_size=6)) for _ in range(4))
    last = draw(st.sampled_from(["", end]))
    buggy, fixed = (end.join([*before, *middle, *after]) for middle in (old, new))
    buggy, fixed = (text + last if text else text for text in (buggy, fixed))
    if buggy == fixed:
        fixed += "y = 1" + end
    return bug(buggy, fixed, draw(st.sampled_from(["python", "java"])))


@given(edits(), st.booleans(), st.sampled_from(["function", "file"]))
def test_the_target_gives_the_fix_back(one, strip, context):
    shown = ir4(strip=strip, context=context)
    assert shown.decode(shown.encode(one).target, one).text == one.fixed


@given(st.text(), edits(), st.sampled_from(["qwen", "starcoder", "codellama", "deepseek"]))
def test_every_text_is_read(completion, one, fim):
    assert ir4(fim=fim).decode(completion, one).text is not None
