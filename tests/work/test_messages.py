"""Messages end to end: into a training set, to a model with a chat template, and to a service."""

from __future__ import annotations

import shutil
from dataclasses import asdict

import pytest
from small_dataset import pair
from tokenizers import Tokenizer

from engine.assets import STARTER_MODEL
from engine.domain import Completion, Message, Model
from engine.errors import UserError
from engine.plugins import REPRESENTATIONS
from engine.rundir import Inputs, RunDir
from engine.specs import BenchmarkSpec, ChatSpec
from engine.work.benchmark import benchmark
from engine.work.chat import chat

STARTER = Inputs(model=Model("starter", "base", str(STARTER_MODEL)))
SERVICE = Inputs(model=Model("gpt", "endpoint", ""))
SPEC = BenchmarkSpec(candidates=2, representation="instruct", generator={"name": "beam", "max_new_tokens": 16})
TALK = ChatSpec(representation="instruct", generator={"name": "sampling", "max_new_tokens": 16})


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run", {}, Inputs())


@pytest.fixture
def silent(tmp_path):
    """The starter's tokenizer without its chat template."""
    folder = tmp_path / "silent"
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(STARTER_MODEL / name, folder)
    return Inputs(model=Model("silent", "base", str(folder)))


@pytest.fixture
def service(monkeypatch):
    """A service that is asked in messages and knows the fix of `small/add`; what it was sent."""
    sent = []

    class Service:
        is_remote = True

        def load(self, model, seed):
            assert model.kind == "endpoint"

        def vocabulary(self):
            return None

        def count(self, prompts):
            return None

        def room(self):
            return None

        def generate(self, prompts, n):
            for index, prompt in enumerate(prompts):
                sent.append(prompt)
                yield (
                    index,
                    [Completion("```\ndef add(a, b):\n    return a + b\n```"), *[Completion("Sorry.")] * (n - 1)],
                )

        def stream(self, prompt):
            sent.append(prompt)
            yield "```\ndef add(a, b):\n    return a + b\n```"
            return True

    monkeypatch.setattr("engine.plugins.GENERATORS.create", lambda params: Service())
    return sent


def said(run, kind):
    return [asdict(event.payload) for event in run.events().events if event.kind == kind]


def test_a_training_set_learns_the_answer_and_the_token_that_ends_it(make):
    run, report, train, _ = make([pair(1), pair(2)], representation="instruct", valid_fraction=0)
    tokenizer = Tokenizer.from_file(str(run.artifacts / "tokenizer" / "tokenizer.json"))
    assert (run.artifacts / "tokenizer" / "chat_template.jinja").is_file()
    assert report["representation"]["name"] == "instruct"
    for row, number in zip(train, (1, 2), strict=True):
        start, end = row["learned"]
        answer = f"```python\n{pair(number)['fixed_function']}```<|im_end|>"
        assert tokenizer.decode(row["input_ids"][start:end], skip_special_tokens=False) == answer == row["target"]
        assert row["input_ids"][end - 1] == tokenizer.token_to_id("<|im_end|>")
        assert end == len(row["input_ids"]) == row["n_tokens"], "no end of text after the token that ends an answer"
        read = tokenizer.decode(row["input_ids"][:start], skip_special_tokens=False)
        assert read == row["prompt"]
        assert read.startswith("<|im_start|>user\nRepair the function `f")
        assert read.endswith("```<|im_end|>\n<|im_start|>assistant\n")


def test_what_is_trained_on_is_what_is_asked(make, small, run, monkeypatch):
    """One and the same prompt, to the token, in a training set and in a benchmark run."""
    asked = []
    monkeypatch.setattr("engine.generators.beam.Beam.count", lambda self, prompts: asked.extend(prompts) or [9999] * 3)
    benchmark(SPEC, STARTER, run)
    (add,) = [one for one in small.bugs() if one.id == "small/add"]
    rows = [{"buggy_function": add.buggy, "fixed_function": add.fixed, "project": "p"}]
    _, _, (row,), _ = make(rows, representation="instruct", valid_fraction=0)
    assert row["prompt"] == asked[0]


def test_a_model_with_a_chat_template_is_asked_in_it(small, run):
    counts = benchmark(SPEC, STARTER, run)
    assert (counts["bugs"], counts["scored"], counts["patches"], counts["skipped"]) == (3, 3, 6, {})
    assert counts["outcomes"]["no_patch"] + counts["outcomes"]["test_failed"] + counts["outcomes"]["plausible"] == 6
    drawn = [fields for fields in said(run, "patch") if fields["source"] == "model"]
    assert len(drawn) == 6
    assert not any("<|" in fields["completion"] for fields in drawn)


def test_a_conversation_is_held_in_the_chat_template(small, run):
    run.ask(ask="reply", conversation=1, question=1, bug="small/add", budget=2, turns=[], message="mind the sign")
    run.ask(ask="stop")
    chat(TALK, STARTER, run)
    _, first, *_ = said(run, "turn")
    assert first["prompt"].startswith("<|im_start|>user\nRepair the function `add`.")
    assert first["prompt"].endswith("- hint: mind the sign<|im_end|>\n<|im_start|>assistant\n")
    assert first["verdict"]["outcome"] in ("no_patch", "test_failed")


def test_a_model_without_a_chat_template_is_an_error_of_the_users(make, tiny, small, run, silent):
    said_so = "has no chat template, so it cannot be sent messages; choose a model that was trained to chat"
    with pytest.raises(UserError, match=f"the model 'tiny' {said_so}"):
        benchmark(SPEC, Inputs(model=tiny), run)
    with pytest.raises(UserError, match=f"the model 'silent' {said_so}"):
        make([pair(1)], inputs=silent, representation="instruct")


def test_a_service_is_sent_messages(small, run, service):
    counts = benchmark(SPEC, SERVICE, run)
    shown = REPRESENTATIONS.from_value("instruct")
    assert service == [shown.encode(one).prompt for one in small.bugs()]
    assert all(isinstance(message, Message) for prompt in service for message in prompt)
    told = [fields["rule"] for fields in said(run, "patch") if fields["source"] == "model" and fields["rule"]]
    assert (counts["plausible_at"]["2"], counts["outcomes"]["no_patch"]) == (3, 3)
    assert sum("renamed" in rule for rule in told) == 2, "it answers with `add` whatever it is asked"


def test_a_conversation_with_a_service_shows_the_messages(small, run, service):
    run.ask(ask="reply", conversation=1, question=1, bug="small/add", budget=1, turns=[])
    run.ask(ask="stop")
    chat(TALK, SERVICE, run)
    (turn,) = said(run, "turn")
    assert turn["verdict"]["outcome"] == "plausible"
    assert turn["prompt"].startswith("[user]\nRepair the function `add`.")
