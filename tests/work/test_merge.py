"""Merging checks that the answers are the same, and reports if they are not."""

from __future__ import annotations

import dataclasses

import pytest
from tiny_models import make_adapter, make_model

from engine.domain import Model
from engine.errors import UserError
from engine.rundir import Inputs, RunDir
from engine.specs import MergeSpec
from engine.work import merge as merging

pytestmark = pytest.mark.slow
SPEC = MergeSpec(adapter="tiny-adapter", parity_bugs=2)


@pytest.fixture(scope="module")
def roomy(tmp_path_factory):
    """An adapter whose base model has room for the benchmark's prompts."""
    base = make_model(tmp_path_factory.mktemp("base"), context=1024)
    return make_adapter(tmp_path_factory.mktemp("adapter"), base)


@pytest.fixture
def run(tmp_path):
    return RunDir.create(tmp_path / "run", {}, Inputs())


def test_the_merged_model_answers_like_the_adapter(roomy, run):
    proof = merging.merge(SPEC, Inputs(model=roomy), run)
    assert proof["usable"]
    assert proof["same_patches"] == proof["bugs"] == 2
    assert proof["caution"] == ""
    assert 0 < proof["max_logit_difference"] <= proof["tolerance"] < proof["largest_logit"]
    model = run.artifacts / "model"
    assert (model / "model.safetensors").exists()
    assert (model / "tokenizer.json").exists()
    assert not (model / "adapter_config.json").exists()


def test_a_merge_that_changed_something_is_not_usable(roomy, run, monkeypatch):
    load = merging.load

    def loaded_wrong(model, *given, **named):
        loaded = load(model, *given, **named)
        if model.kind == "merged":
            loaded.model.model.layers[0].self_attn.q_proj.weight.data.mul_(1.1)
        return loaded

    monkeypatch.setattr(merging, "load", loaded_wrong)
    proof = merging.merge(SPEC, Inputs(model=roomy), run)
    assert not proof["usable"]
    assert proof["max_logit_difference"] > proof["tolerance"]


def test_a_merge_that_changed_a_patch_and_no_logit_is_usable_with_caution(roomy, run, monkeypatch, caplog):
    answers, asked = merging._answers, []

    def answered(loaded, prompts):
        asked.append(list(answers(loaded, prompts)))
        return [
            (logits, text + "x" if len(asked) == 2 and not n else text) for n, (logits, text) in enumerate(asked[-1])
        ]

    monkeypatch.setattr(merging, "_answers", answered)
    proof = merging.merge(SPEC, Inputs(model=roomy), run)
    assert (proof["usable"], proof["same_patches"], proof["bugs"]) == (True, 1, 2)
    assert proof["caution"].startswith("only 1 of 2 patches are the same as the adapter's")
    assert proof["caution"] in caplog.text


@pytest.mark.parametrize("place", [0, 1])
def test_logits_that_are_no_numbers_prove_nothing(roomy, run, monkeypatch, place):
    answers = merging._answers

    def answered(loaded, prompts):
        for index, (logits, text) in enumerate(answers(loaded, prompts)):
            yield logits * float("nan") if index == place else logits, text

    monkeypatch.setattr(merging, "_answers", answered)
    proof = merging.merge(SPEC, Inputs(model=roomy), run)
    assert not proof["usable"]
    assert (proof["max_logit_difference"], proof["tolerance"]) == (None, None)
    assert "no finite numbers; merge with another precision" in proof["caution"]


def test_only_an_adapter_can_be_merged(roomy, run):
    with pytest.raises(UserError, match="'tiny' is a base model"):
        merging.merge(SPEC, Inputs(model=Model("tiny", "base", roomy.base)), run)


def test_an_adapter_of_another_base_model_is_refused(roomy, run, tmp_path):
    other = make_model(tmp_path / "other", hidden=32, context=1024)
    with pytest.raises(UserError, match="made for another base model"):
        merging.merge(SPEC, Inputs(model=dataclasses.replace(roomy, base=other.path)), run)
    assert not (run.artifacts / "model").exists()


def test_a_context_too_short_for_any_bug_is_a_user_error(tiny_adapter, run, monkeypatch):
    monkeypatch.setattr(merging, "NEW_TOKENS", 256)
    with pytest.raises(UserError, match="no bug of pocket fits this model's 256 tokens"):
        merging.merge(SPEC, Inputs(model=tiny_adapter), run)
