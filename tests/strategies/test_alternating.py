"""A chat model reads its answers and what came of each as messages that alternate; others read one question."""

from __future__ import annotations

import json
import shutil

import pytest
from strategy_world import TESTED, World, attempt, replied

from engine.assets import STARTER_MODEL
from engine.domain import Message, Model, Turn, as_text
from engine.generators import PromptTooLong
from engine.plugins import REPRESENTATIONS
from engine.representations.chat_template import for_model
from engine.strategies.test_feedback import TestFeedback
from engine.strategies.two_stage import TwoStage

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def fenced(line):
    return f"```python\ndef add(a, b):\n    {line}\n```"


def talk(*answers, strategy=TestFeedback, turns=(), shown=None, most=10_000, **settings):
    world, prompts = World(*answers), []

    def complete(prompt):
        if len(as_text(prompt)) > most:
            raise PromptTooLong("too long")
        prompts.append(prompt)
        return world.answers.pop(0)

    shown = shown or REPRESENTATIONS.create(REPRESENTATIONS.params("instruct"))
    made = strategy(strategy.Params(**settings))
    said = replied(made, TESTED, turns, 3, shown, complete, world.evaluate)
    return prompts, said


def test_each_answer_and_what_came_of_it_are_messages():
    prompts, turns = talk(fenced("return a * b"), fenced("return b"), fenced("return a + b"))
    assert [turn.role for turn in turns] == ["assistant", "tool", "assistant", "tool", "assistant"]
    first, second, third = prompts
    assert [each.role for each in first] == ["user"]
    assert second[:2] == (*first, Message("assistant", fenced("return a * b")))
    assert [each.role for each in third] == ["user", "assistant", "user", "assistant", "user"]
    assert third[-1].text.startswith(turns[3].text), "of the last one all that the page shows"
    assert third[-1].text.endswith("leave these two comments out.\n")
    assert "tried: return a * b" in third[2].text
    assert turns[-1].prompt == third


def test_what_a_person_says_stands_where_it_was_said():
    said = [Turn("user", "mind the sign"), attempt(fenced("return a * b")), Turn("user", "use no product")]
    (asked,), _ = talk(fenced("return a + b"), turns=said)
    assert asked[0].text.endswith("- hint: mind the sign")
    assert [each.role for each in asked] == ["user", "assistant", "user"]
    assert "hint: use no product" in asked[2].text
    assert "hint: mind the sign" not in asked[2].text


def test_a_cause_stands_in_the_first_question():
    prompts, _ = talk("It subtracts.", fenced("return b"), fenced("return a + b"), strategy=TwoStage)
    assert "root cause: It subtracts." in prompts[2][0].text
    assert [each.role for each in prompts[2]] == ["user", "assistant", "user"]


def test_the_oldest_answer_is_left_out_first():
    answers = [fenced("return 1" + 40 * "0"), fenced("return b"), fenced("return a + b")]
    prompts, _ = talk(*answers)
    shorter, _ = talk(*answers, most=len(as_text(prompts[2])) - 1)
    assert shorter[:2] == prompts[:2]
    assert shorter[2] == (prompts[2][0], *prompts[2][3:])


def test_an_empty_answer_is_no_message():
    prompts, _ = talk("", fenced("return a + b"))
    assert [each.role for each in prompts[1]] == ["user"]
    assert "tried: (nothing)" in prompts[1][0].text


@pytest.mark.parametrize(("form", "dialogue"), [("chat", False), ("response", True)])
def test_all_stands_in_one_question_where_that_is_wanted_or_the_form_is_for_one(form, dialogue):
    params = REPRESENTATIONS.params("instruct").model_copy(update={"form": form})
    prompts, _ = talk(
        fenced("return b"), fenced("return a + b"), shown=REPRESENTATIONS.create(params), dialogue=dialogue
    )
    assert isinstance(prompts[1], str) == (form == "response")
    assert "tried: return b" in (prompts[1] if form == "response" else prompts[1][0].text)
    assert form == "response" or len(prompts[1]) == 1


def test_a_local_model_reads_them_in_its_own_template(tmp_path):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(STARTER_MODEL / name, tmp_path)
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": CHATML}))
    instruct = REPRESENTATIONS.create(REPRESENTATIONS.params("instruct"))
    shown = for_model(instruct, Model("tiny-chat", "base", str(tmp_path)), None)
    prompts, turns = talk(fenced("return b"), fenced("return a + b"), shown=shown)
    assert prompts[1].startswith(prompts[0] + fenced("return b") + "<|im_end|>\n<|im_start|>user\n" + turns[1].text)
    assert prompts[1].endswith("<|im_end|>\n<|im_start|>assistant\n")
