"""A form is made from a spec's fields and gives the spec back; wrong text is called by the field's label."""

from __future__ import annotations

import json
from typing import Literal

import gradio as gr
import pytest

from engine.errors import UserError
from engine.launchers.local import Local
from engine.params import Params
from engine.plugins import BY_FIELD, LAUNCHERS
from engine.spec_files import preset_names, read_spec
from engine.specs import KINDS, parse
from studio.forms.fields import Kind, text_of
from studio.forms.form import Form
from studio.forms.plugin_settings import PluginSettings, params_of
from studio.html.settings import literal
from studio.live import Live


@pytest.fixture(params=sorted(KINDS))
def form(request):
    with gr.Blocks() as page:
        made = Form(request.param, names={"model": lambda: ["starter"]})
    made.page = page
    return made


def values(form, **changed):
    """What the widgets hold; `trainer__rank="0"`: of a plug-in's setting, `builder="columns"`: of the list of plug-ins."""
    held = []
    for each in form.fields:
        own = {key.partition("__")[2]: value for key, value in changed.items() if key.startswith(f"{each.place}__")}
        value = changed.get(each.place, each.widget.value)
        if isinstance(each, PluginSettings):
            chosen = {"name": changed[each.place]} if each.place in changed else json.loads(each.widget.value)
            value = json.dumps(chosen | own)
        held.append(value)
    return tuple(held)


def test_an_untouched_form_is_the_default_spec(form):
    assert form.spec(values(form)) == parse({"kind": form.kind})


def test_every_setting_of_every_plugin_has_a_field_with_help(form):
    page = "".join(getattr(block, "html_template", "") for block in form.page.blocks.values())
    for place in [name for name in KINDS[form.kind].model_fields if name in BY_FIELD]:
        for plugin, params in params_of(BY_FIELD[place]).items():
            for name in [name for name in params.model_fields if name != "name"]:
                assert page.count(f'id="{form.kind}-{place}-{plugin}-{name}"') == 1
    for each in form.fields:
        of_plugins = isinstance(each, PluginSettings)
        settings = [own for all in each.settings.values() for own in all] if of_plugins else [each.setting]
        assert all(own.help for own in settings)


def test_a_spec_fills_the_form_and_comes_back(form):
    for preset in preset_names(form.kind):
        spec = read_spec(form.kind, preset)
        updates = form.fill(spec)
        assert len(updates) == len(form.inputs)
        assert form.spec([update["value"] for update in updates]) == spec


def test_what_a_page_never_sends_is_refused(train):
    at = [each.place for each in train.fields].index("trainer")
    for wrong in ("nonsense", "[]", "{}", '{"name": "sft", "rank": {}}', '{"name": "sft", "rank": [1]}', "[" * 100_000):
        sent = list(values(train))
        sent[at] = wrong
        with pytest.raises(UserError, match="Trainer: .* reload it"):
            train.spec(sent)


def test_a_help_text_is_not_read_as_a_template():
    assert literal("<b>`${x}` {{y}} \\</b>") == "<b>&#96;&#36;&#123;x}&#96; &#123;&#123;y}} &#92;</b>"


@pytest.fixture
def train():
    with gr.Blocks():
        return Form("train", names={})


@pytest.mark.parametrize(
    ("place", "text", "label"),
    [
        ("trainer__learning_rate", "abc", "Learning rate"),
        ("trainer__rank", "0", "Rank"),
        ("trainer__batch_size", "", "Batch size"),
        ("trainer__epochs", "-1", "Epochs"),
        ("seed", "x", "Seed"),
        ("name", "../x", "Name"),
    ],
)
def test_wrong_text_is_one_sentence_that_names_the_field(train, place, text, label):
    with pytest.raises(UserError) as raised:
        train.spec(values(train, **{place: text}))
    said = str(raised.value)
    assert said.startswith(f"{label}")
    assert ";" not in said
    assert raised.value.field == place.replace("__", ".")
    complaint = train.complaint(raised.value, values(train))
    assert f'data-wrong="at-{place.replace("__", "-")}"' in complaint


def test_a_complaint_is_inert_html(train):
    with pytest.raises(UserError) as raised:
        train.spec(values(train, trainer__rank="<script>alert(1)</script>"))
    assert "<script" not in train.complaint(raised.value, values(train))
    assert "&lt;script" in train.complaint(raised.value, values(train))


def test_settings_of_a_plugin_that_is_not_chosen_are_left_out():
    with gr.Blocks():
        form = Form("dataset", names={})
    spec = form.read(values(form, builder="columns", builder__samples="nonsense"))
    assert spec["builder"]["name"] == "columns"
    assert "samples" not in spec["builder"]


def test_a_plugin_offers_choices_for_its_own_settings(tmp_path):
    file = tmp_path / "pairs.csv"
    file.write_text("n,after,project,before\n1,x,p,y\n")
    with gr.Blocks() as blocks:
        live = Live("page", lambda: "")
        Form("dataset", names={"datasets": lambda: ["mine"]}).watch(live)
        live.watch()
    (choose,) = [each for each in blocks.fns.values() if each.api_name == "dataset_builder_choices"]
    (offers,) = [part for part in live.parts if part.draw.__name__ == "_offer"]

    def chosen(**given):
        return choose.fn(json.dumps({"name": "columns", **given}))

    def offered(**given):
        return json.loads(offers.draw(json.dumps({"name": "columns", **given}))[0])

    filled = json.loads(chosen(file=str(file)))
    assert filled == {
        "name": "columns", "buggy": "before", "fixed": "after", "id": "", "project": "project", "cwe": "", "date": ""
    }  # fmt: skip
    assert offered(file=str(file))["columns"]["id"] == ["", "n", "after", "project", "before"]
    assert offered(file=str(file))["mixer"] == {"datasets": ["mine"]}
    filled = {**filled, "project": ""}
    assert chosen(**{**filled, "file": str(file)}) == gr.skip(), "what is chosen of this file stays"
    nothing = {**filled, "file": str(tmp_path / "none.csv")}
    assert chosen(**nothing) == gr.skip(), "nothing changes for no file"
    assert "columns" not in offered(**nothing)
    assert choose.fn('{"name": "faults"}') == gr.skip()


def test_where_there_is_nothing_to_choose_no_field_is_shown(monkeypatch):
    class WithoutSettings(Params):
        name: Literal["local"] = "local"

    monkeypatch.setattr(Local, "Params", WithoutSettings)
    monkeypatch.setattr(LAUNCHERS, "names", lambda: ["local"])
    with gr.Blocks():
        form = Form("train", names={})
    assert "launcher" not in [each.place for each in form.fields]
    assert form.spec(values(form)).launcher.name == "local"


def test_empty_optional_numbers_mean_none(train):
    assert train.spec(values(train, trainer__max_steps=" ")).trainer.max_steps is None


@pytest.mark.parametrize(("word", "meant"), [("automatic", None), ("yes", True), ("no", False)])
def test_a_setting_that_need_not_be_yes_or_no_can_be_left_open(word, meant):
    with gr.Blocks():
        form = Form("dataset", names={})
    spec = form.spec(values(form, representation__strip=word))
    assert spec.representation.strip is meant
    filled = next(update["value"] for update, each in zip(form.fill(spec), form.fields, strict=True)
                  if each.place == "representation")  # fmt: skip
    assert json.loads(filled)["strip"] == word


def test_a_setting_is_called_as_the_chosen_plugin_calls_it():
    with gr.Blocks():
        form = Form("dataset", names={})
    said = {}
    for builder in ("diffs", "juliet"):
        with pytest.raises(UserError) as raised:
            form.spec(values(form, builder=builder, builder__path="x" * 5000))
        said[builder] = str(raised.value).partition(":")[0]
    assert said == {"diffs": "Diffs", "juliet": "Suite"}


def test_a_list_may_be_typed_as_names_or_as_json():
    with gr.Blocks():
        form = Form("dataset", names={})

    def read(typed):
        return form.read(values(form, builder="mixer", builder__datasets=typed))["builder"]["datasets"]

    assert read("one, two=2") == read('["one", "two=2"]') == ["one", "two=2"]
    assert read("[one, two") == ["[one", "two"]


def test_a_number_is_shown_with_all_its_digits():
    assert [text_of(each) for each in (0.0002, 16777217.0, 1e-9)] == ["0.0002", "16777217.0", "1e-09"]


def test_kinds_of_annotations():
    assert Kind.of(int | None) == Kind(int, is_optional=True)
    assert Kind.of(tuple[str, ...]) == Kind(str, is_many=True)
    assert (text_of(None), text_of(0.0002), text_of(("a", "b"))) == ("", "0.0002", "a, b")
