"""A form is made from a spec's fields and gives the spec back; wrong text is called by the field's label."""

from __future__ import annotations

import gradio as gr
import pytest

from engine.errors import UserError
from engine.plugins import BY_FIELD
from engine.spec_files import preset_names, read_spec
from engine.specs import KINDS, parse
from studio.forms.fields import Kind, text_of
from studio.forms.form import Form, params_of


@pytest.fixture(params=sorted(KINDS))
def form(request):
    with gr.Blocks():
        return Form(request.param, names={"model": lambda: ["starter"]})


def values(form, **changed):
    return tuple(changed.get(each.place.replace(".", "__"), each.widget.value) for each in form.fields)


def test_an_untouched_form_is_the_default_spec(form):
    assert form.spec(values(form)) == parse({"kind": form.kind})


def test_every_setting_of_every_plugin_has_a_widget_with_help(form):
    places = {(each.plugin, each.place) for each in form.fields}
    for place in [name for name in KINDS[form.kind].model_fields if name in BY_FIELD]:
        for plugin, params in params_of(BY_FIELD[place]).items():
            assert len(BY_FIELD[place].names()) == 1 or place in {where for _, where in places}
            assert {(plugin, f"{place}.{name}") for name in params.model_fields if name != "name"} <= places
    assert all(each.widget.info for each in form.fields)


def test_a_spec_fills_the_form_and_comes_back(form):
    for preset in preset_names(form.kind):
        spec = read_spec(form.kind, preset)
        updates = form.fill(spec)
        assert len(updates) == len(form.outputs)
        filled = tuple(
            update.get("value", each.widget.value) for update, each in zip(updates, form.fields, strict=False)
        )
        assert form.spec(filled) == spec


@pytest.fixture
def train():
    with gr.Blocks():
        return Form("train", names={})


@pytest.mark.parametrize(
    ("place", "text", "label"),
    [
        ("trainer__learning_rate", "abc", "Learning rate"),
        ("trainer__rank", "0", "Rank"),
        ("trainer__rank", "", "Rank"),
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
    complaint = train.complaint(raised.value)
    assert f'data-wrong="at-{place.replace("__", "-")}"' in complaint


def test_a_complaint_is_inert_html(train):
    with pytest.raises(UserError) as raised:
        train.spec(values(train, trainer__rank="<script>alert(1)</script>"))
    assert "<script" not in train.complaint(raised.value)
    assert "&lt;script" in train.complaint(raised.value)


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
        form = Form("dataset", names={})
    (offer,) = [each for each in blocks.fns.values() if each.api_name == "dataset_choices_of_builder_columns"]
    settings = [each for each in form.fields if each.plugin == "columns"]
    given = {each.place: each.widget.value for each in settings} | {"builder.file": str(file)}

    def offered():
        shown = [each.place for each in settings if each.widget in offer.outputs]
        return dict(zip(shown, offer.fn(*given.values()), strict=True))

    proposed = {place: update["value"] for place, update in offered().items()}
    assert proposed == {"builder.buggy": "before", "builder.fixed": "after", "builder.id": "",
                        "builder.project": "project"}  # fmt: skip
    assert offered()["builder.id"]["choices"] == ["", "n", "after", "project", "before"]
    given |= proposed | {"builder.project": ""}
    assert not any("value" in update for update in offered().values()), "what is chosen of this file stays"
    given["builder.file"] = str(tmp_path / "none.csv")
    assert not any("choices" in update for update in offered().values()), "and nothing changes for no file"


def test_where_there_is_nothing_to_choose_no_field_is_shown():
    with gr.Blocks():
        form = Form("train", names={})
    assert not form.widgets("launcher")
    assert form.spec(values(form)).launcher.name == "local"


def test_empty_optional_numbers_mean_none(train):
    assert train.spec(values(train, trainer__max_steps=" ")).trainer.max_steps is None


@pytest.mark.parametrize(("word", "meant"), [("automatic", None), ("yes", True), ("no", False)])
def test_a_setting_that_need_not_be_yes_or_no_can_be_left_open(word, meant):
    with gr.Blocks():
        form = Form("dataset", names={})
    spec = form.spec(values(form, representation__strip=word))
    assert spec.representation.strip is meant
    filled = dict(zip([each.place for each in form.fields if each.plugin in ("", "ir4_or2")],
                      [update.get("value") for update, each in zip(form.fill(spec), form.fields, strict=False)
                       if each.plugin in ("", "ir4_or2")], strict=True))  # fmt: skip
    assert filled["representation.strip"] == word


def test_kinds_of_annotations():
    assert Kind.of(int | None) == Kind(int, is_optional=True)
    assert Kind.of(tuple[str, ...]) == Kind(str, is_many=True)
    assert (text_of(None), text_of(0.0002), text_of(("a", "b"))) == ("", "0.0002", "a, b")
