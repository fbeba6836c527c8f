"""A chat question shows the function with its fault marked; an answer is read however a chat model writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.benchmarks.pocket import Pocket
from engine.domain import Bug, Message, as_text, span_of_change
from engine.plugins import REPRESENTATIONS
from engine.representations import CannotShow
from engine.representations.alpaca import prompt_of
from engine.representations.contract import check

AREA = '''import math


class Circle:
    """Round."""

    @property
    def area(self):
        """As in:

```
Circle(1).area
```
"""
        return self.r * self.r

    def other(self):
        return 1
'''
METHOD = AREA.splitlines(keepends=True)[6:15]


def bug(buggy: str, fixed: str, language: str = "python") -> Bug:
    return Bug("t/1", language, "a", buggy, fixed, span_of_change(buggy, fixed))


def instruct(**settings):
    return REPRESENTATIONS.from_value({"name": "instruct", **settings})


FIXED = "def f(a):\n    return a + 1\n"
CIRCLE = bug(AREA, AREA.replace("self.r * self.r", "math.pi * self.r**2"))
TWO = bug(FIXED.replace("+", "-"), FIXED)


@pytest.mark.parametrize("form", ["chat", "response", "output", "end"])
@pytest.mark.parametrize("language", ["python", "java"])
def test_the_contract_holds_for_every_pocket_bug(language, form):
    bugs = [one for one in Pocket(Pocket.Params()).bugs() if one.language == language]
    check(instruct(form=form), bugs)
    if form != "chat":
        return
    for one in bugs:
        (message,) = instruct().encode(one).prompt
        assert "the function `" in message.text, f"{one.id}: every bug of pocket is in a function"


ASKED = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n"
    "Repair the function `f`. The fault is between the comments `# fault begins` and `# fault ends`.\n"
    "Answer with the whole repaired function `f` in one fenced code block. Change nothing else in it, and leave "
    "these two comments out.\n\n"
    "What is known:\n- hint: mind the sign\n\n"
    "### Input:\ndef f(a):\n    # fault begins\n    return a - 1\n    # fault ends\n\n"
)


@pytest.mark.parametrize(
    ("form", "head", "before", "after"),
    [("response", "### Response:", "", ""), ("output", "### Output:", "\n", ""),
     ("end", "### Output:", "\n", "\n\n### End")],
)  # fmt: skip
def test_the_texts_of_alpaca(form, head, before, after):
    sample = instruct(form=form).encode(TWO, ["hint: mind the sign"])
    assert sample.prompt == ASKED + head
    assert sample.target == f"{before}```python\ndef f(a):\n    return a + 1\n```{after}"
    more = f"{sample.target}\n\n### Instruction:\nRepair the function `g`.\n```python\ndef f(a):\n    pass\n```"
    assert instruct(form=form).decode(more, TWO).text == FIXED
    assert "Repair" not in instruct(form=form).trim(more, TWO)


def test_an_instruction_without_input_is_alpacas_shorter_text():
    assert prompt_of("Sing.", "", "response") == (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nSing.\n\n### Response:"
    )


def test_code_in_an_instruction_may_not_spell_a_token_of_the_model():
    ended = bug("def f():\n    return '<|endoftext|>'\n", "def f():\n    return ''\n")
    known = instruct(form="end").for_vocabulary(frozenset({"<|endoftext|>"}))
    with pytest.raises(CannotShow, match="endoftext"):
        known.encode(ended)
    assert instruct(form="end").encode(ended).target


def test_a_question_and_its_answer():
    (question,) = instruct().encode(TWO, ["test: assert 0 == 2", "hint: mind the sign"]).prompt
    assert question == Message(
        "user",
        "Repair the function `f`. The fault is between the comments `# fault begins` and `# fault ends`.\n"
        "Answer with the whole repaired function `f` in one fenced code block. Change nothing else in it, and leave "
        "these two comments out.\n"
        "\n"
        "```python\n"
        "def f(a):\n"
        "    # fault begins\n"
        "    return a - 1\n"
        "    # fault ends\n"
        "```\n"
        "\n"
        "What is known:\n"
        "- test: assert 0 == 2\n"
        "- hint: mind the sign",
    )
    assert instruct().encode(TWO).target == "```python\ndef f(a):\n    return a + 1\n```"


def test_a_system_message_comes_first_where_one_is_wanted():
    assert [each.role for each in instruct(system="Be brief.").encode(TWO).prompt] == ["system", "user"]
    assert as_text(instruct(system="Be brief.").encode(TWO).prompt).startswith("[system]\nBe brief.\n\n[user]\nRepair")


def test_missing_lines_are_marked_where_they_belong():
    (question,) = instruct().encode(bug("def f(a):\n    a += 1\n", "def f(a):\n    a += 1\n    return a\n")).prompt
    assert "Something is missing between" in question.text
    assert "    a += 1\n    # fault begins\n    # fault ends\n```" in question.text


def test_a_fence_is_longer_than_those_in_the_code():
    sample = instruct().encode(CIRCLE)
    assert "\n````python\n    @property\n" in sample.prompt[0].text
    assert sample.target.startswith("````python\n    @property\n")
    assert instruct().decode(sample.target, CIRCLE).text == CIRCLE.fixed


def test_a_fault_outside_of_functions_is_shown_with_its_file():
    one = bug("A = 1\nB = 2\n", "A = 1\nB = 3\n")
    sample = instruct().encode(one)
    assert sample.prompt[0].text.startswith("Repair the file.")
    assert sample.target == "```python\nA = 1\nB = 3\n```"
    assert instruct().decode("A = 1\nB = 3\n", one).text == one.fixed
    assert instruct().decode("I would write B = 3 there.", one).text is None


@pytest.mark.parametrize(
    "answer",
    [
        FIXED,
        FIXED.rstrip(),
        f"```\n{FIXED}```",
        f"```python\n{FIXED}",
        f"~~~python title=a.py\n{FIXED}~~~\nThat is all.",
        f"The sign was wrong:\n\n  ```py\n{FIXED}  ```\n",
        f"First try it:\n```sh\npython a.py\n```\nThen:\n```python\n{FIXED}```\nbut never\n```python\ndef f(a): 1/0\n```",
        FIXED.replace("\n", "\r\n"),
        "```python\ndef f(a):\n    # fault begins\n    return a + 1\n    # fault ends\n```",
        f"```python\nclass Solution:\n    {FIXED.replace('    ', '        ')}\n    def g(self):\n        pass\n```",
        f"```python\nimport os\n\n{FIXED}\n\nassert f(1) == 2\n```",
        f"{FIXED}\nIt adds one.",
    ],
)
def test_the_function_is_found_in_an_answer(answer):
    assert instruct().decode(answer, TWO).text == TWO.fixed


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "the answer is empty"),
        ("   \n", "the answer is empty"),
        ("I cannot help with that.", "the answer holds no code"),
        ("```\n```", "the answer holds no code"),
        ("```python\ng(1)\n```", "the answer does not hold the function `f`"),
        (TWO.buggy, "the answer changes nothing in the function `f`"),
    ],
)
def test_an_answer_without_a_fix_is_no_patch(answer, reason):
    patch = instruct().decode(answer, TWO)
    assert (patch.text, patch.reason, patch.rule) == (None, reason, "")


@pytest.mark.parametrize("indent", ["", "    ", "            "])
def test_a_method_gets_the_indent_of_its_place_and_the_text_in_it_stays(indent):
    answer = "".join(
        line if line.startswith(("`", "Circle", '"""\n', "\n")) else indent + line.removeprefix("    ")
        for line in METHOD
    ).replace("self.r * self.r", "math.pi * self.r**2")
    assert instruct().decode(f"````python\n{answer}````", CIRCLE).text == CIRCLE.fixed


def test_a_java_method_is_taken_out_of_the_class_around_it():
    code = "class A {\n  int g() { return 0; }\n\n  @Override\n  public int f(int a) {\n    return a - 1;\n  }\n}\n"
    one = bug(code, code.replace("a - 1", "a + 1"), "java")
    answer = (
        "```java\npublic class Fixed {\n    @Override\n    public int f(int a) {\n      return a + 1;\n    }\n}\n```"
    )
    assert instruct().decode(answer, one).text == one.fixed


def test_an_answer_in_a_file_of_windows_gets_its_line_ends():
    one = bug(TWO.buggy.replace("\n", "\r\n"), TWO.fixed.replace("\n", "\r\n"))
    assert "\r" not in as_text(instruct().encode(one).prompt) + instruct().encode(one).target
    assert instruct().decode(FIXED, one).text == one.fixed


@pytest.mark.parametrize(
    ("buggy", "fixed"),
    [
        (TWO.buggy, "def g(a):\n    return a\n"),  # another name
        (TWO.buggy, "def f(a):\n    return a\n\n\ndef g(a):\n    return a\n"),  # two functions
        (TWO.buggy + "x = 1\n", "x = 1\n"),  # none
        (TWO.buggy, "def f(a):\n    # fault begins\n    return a\n"),
    ],
)
def test_a_fix_that_is_not_one_function_of_that_name_is_refused(buggy, fixed):
    with pytest.raises(CannotShow, match="the repaired function `f` cannot be read back"):
        instruct().encode(bug(buggy, fixed))


@given(st.one_of(st.text(), st.text(alphabet="`~ \ndef f(a):\t\"'#{}")), st.sampled_from([TWO, CIRCLE]))
def test_no_text_raises(completion, one):
    patch = instruct().decode(completion, one)
    assert (patch.text is None) == bool(patch.reason)
