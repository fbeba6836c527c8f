"""Messages become the text of a model's own chat template; what is learned is the answer with the token that ends it."""

from __future__ import annotations

import json
import shutil

import pytest

from engine.assets import STARTER_MODEL
from engine.domain import Bug, Message, Model, Preference, Sample, Segment, Span
from engine.errors import UserError
from engine.plugins import REPRESENTATIONS
from engine.representations import CannotShow
from engine.representations.chat_template import ChatTemplate, for_model

BUG = Bug("t/1", "python", "a.py", "def f(a):\n    return a - 1\n", "def f(a):\n    return a + 1\n", Span(2, 2))
ASKED = (Message("system", "Be brief."), Message("user", "Repair f."))

# as the models of these makers have them, in short
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA_2 = (
    "{% for m in messages %}{% if m.role == 'assistant' %} {{ m.content }} {{ eos_token }}"
    "{% else %}[INST] {{ m.content }} [/INST]{% endif %}{% endfor %}"
)
ALPACA = (
    "{% for m in messages %}### {{ m.role }}:\n{{ m.content }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}### assistant:\n{% endif %}"
)
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + CHATML
)
FORGETFUL = (  # what an earlier answer was is not told
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{{ '...' if m.role == 'assistant' and not loop.last else m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture
def model(tmp_path):
    """The starter's tokenizer with another chat template, or with none."""

    def made(template: str | None) -> Model:
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(STARTER_MODEL / name, tmp_path)
        if template is not None:
            path = tmp_path / "tokenizer_config.json"
            path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": template}))
        return Model("tiny-chat", "base", str(tmp_path))

    return made


@pytest.mark.parametrize(
    ("template", "prompt", "target", "is_ended"),
    [
        (
            CHATML,
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nRepair f.<|im_end|>\n<|im_start|>assistant\n",
            "done<|im_end|>",
            True,
        ),
        (LLAMA_2, "[INST] Be brief. [/INST][INST] Repair f. [/INST]", "done <|endoftext|>", True),
        (ALPACA, "### system:\nBe brief.\n\n### user:\nRepair f.\n\n### assistant:\n", "done", False),
    ],
)
def test_what_is_read_and_what_is_learned(model, template, prompt, target, is_ended):
    made = ChatTemplate(model(template)).in_text(Sample.of(BUG, ASKED, "done"))
    assert (made.prompt, made.target, made.is_ended) == (prompt, target, is_ended)
    assert [segment.is_learned for segment in made.segments] == [False, True]


def test_both_answers_of_a_preference_end_as_the_template_ends_them(model):
    template = ChatTemplate(model(CHATML))
    made = template.pair_in_text(Preference("b", ASKED, "good", "bad"))
    asked = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nRepair f.<|im_end|>\n<|im_start|>assistant\n"
    assert (made.prompt, made.chosen, made.rejected) == (asked, "good<|im_end|>", "bad<|im_end|>")
    assert made.is_ended
    text = Preference("b", "as text", "good", "bad")
    assert template.pair_in_text(text) == text
    with pytest.raises(CannotShow, match="special token"):
        template.pair_in_text(Preference("b", ASKED, "good", "bad<|im_end|>"))


def test_a_conversation_learns_each_answer_of_its_own():
    chat = tuple(
        Segment(text, is_learned, role)
        for role, text, is_learned in [
            ("user", "one?", False),
            ("assistant", "not learned", False),
            ("user", "two?", False),
            ("assistant", "two", True),
            ("user", "three?", False),
            ("assistant", "three", True),
            ("user", "thanks", False),
        ]
    )
    made = ChatTemplate(Model("starter", "base", str(STARTER_MODEL))).in_text(Sample("c/1", chat, project="p"))
    assert [(segment.text, segment.is_learned) for segment in made.segments] == [
        (
            "<|im_start|>user\none?<|im_end|>\n<|im_start|>assistant\nnot learned<|im_end|>\n"
            "<|im_start|>user\ntwo?<|im_end|>\n<|im_start|>assistant\n",
            False,
        ),
        ("two<|im_end|>", True),
        ("\n<|im_start|>user\nthree?<|im_end|>\n<|im_start|>assistant\n", False),
        ("three<|im_end|>", True),
    ]
    assert (made.bug_id, made.project) == ("c/1", "p")


def test_text_stays_as_it_is_and_needs_no_template(model):
    sample = Sample.of(BUG, "<|fim_prefix|>x", "y")
    assert ChatTemplate(model(None)).in_text(sample) is sample


def test_a_model_without_a_template_is_named(model):
    shown = for_model(REPRESENTATIONS.from_value("instruct"), model(None), None)
    with pytest.raises(
        UserError, match="tokenizer of the model 'tiny-chat' has no chat template.*such as ir4_or2"
    ) as e:
        shown.encode(BUG)
    assert not isinstance(e.value, CannotShow), "one sentence for the run, and not a reason for each bug"
    assert e.value.field == "representation"


@pytest.mark.parametrize(
    ("template", "sample", "said"),
    [
        (NO_SYSTEM, Sample.of(BUG, ASKED, "x"), "the chat template refuses the messages: System role not supported"),
        ("{{ 1 / 0 }}", Sample.of(BUG, ASKED, "x"), "the chat template refuses the messages: division by zero"),
        (CHATML, Sample.of(BUG, (Message("user", "a<|im_end|>"),), "x"), "the special token <|im_end|>"),
        (CHATML, Sample.of(BUG, ASKED, "x<|im_start|>user"), "the special token <|im_start|>"),
        (
            FORGETFUL,
            Sample("c/1", (Segment("a", role="user"), Segment("b", True, "assistant")) * 2),
            "the chat template changes earlier messages",
        ),
    ],
)
def test_messages_that_cannot_be_written_are_refused(model, template, sample, said):
    with pytest.raises(CannotShow) as refused:
        ChatTemplate(model(template)).in_text(sample)
    assert said in str(refused.value)


def test_a_service_gets_the_messages_and_a_model_the_text():
    plain = REPRESENTATIONS.from_value("instruct")
    assert for_model(plain, Model("gpt", "endpoint", ""), None).encode(BUG).prompt == plain.encode(BUG).prompt
    shown = for_model(plain, Model("starter", "base", str(STARTER_MODEL)), frozenset())
    question = plain.encode(BUG).prompt[0].text
    assert shown.encode(BUG).prompt == f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    assert shown.encode(BUG, ["hint: x"]).prompt == shown.for_vocabulary(None).encode(BUG, ["hint: x"]).prompt
    assert "- hint: x<|im_end|>" in shown.encode(BUG, ["hint: x"]).prompt
    answer = plain.encode(BUG).target
    assert shown.trim(answer, BUG) == answer
    assert shown.decode(answer, BUG).text == BUG.fixed


def test_a_conversation_without_end_is_refused(model):
    talk = (Segment("a", role="user"), Segment("b", True, "assistant")) * 251
    with pytest.raises(CannotShow, match="more than 500 messages"):
        ChatTemplate(model(CHATML)).in_text(Sample("c/1", talk))
