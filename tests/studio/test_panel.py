"""A form that a link fills: with what a run was asked for, or with one setting; what is changed since is said."""

from __future__ import annotations

import json

import gradio as gr
import pytest
from filled import fill

from engine.control.workspace import Workspace
from studio.addresses import learning_from, read_query
from studio.app import create_app

TRAINED, BENCHMARKED = 2, 4


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    home = tmp_path_factory.mktemp("panel")
    fill(home)
    workspace = Workspace(home)
    yield workspace
    workspace.close()


@pytest.fixture(scope="module")
def studio(workspace):
    return create_app(workspace)


def filled(studio, again=0, use="", kind="train"):
    handler = next(each for each in studio.blocks.fns.values() if each.api_name == f"{kind}_fill")
    updates = handler.fn(again, use)
    return {
        part.elem_id: update["value"]
        for part, update in zip(handler.outputs, updates, strict=True)
        if update != gr.skip() and "value" in update
    }


def preview(studio, again, refused="", **changed):
    page = studio.pages["train"]
    part = next(part for part in page.parts if part.draw.__name__ == "preview")
    return part.draw(again, refused, *[changed.get(field.elem_id, field.value) for field in part.inputs[2:]])


def start(studio, **changed):
    handler = next(each for each in studio.blocks.fns.values() if each.api_name == "train_start")
    return handler.fn(*[changed.get(field.elem_id, field.value) for field in handler.inputs])


def test_a_run_again_has_its_settings_and_the_next_free_name(studio):
    values = filled(studio, TRAINED)
    assert values["train-name"] == "repair-lora-2"
    assert values["train-dataset"] == "stdlib-faults"


def test_changed_settings_are_named_and_marked(studio):
    values = filled(studio, TRAINED)
    assert "Nothing is changed yet" in preview(studio, TRAINED, **values)[1]
    trainer = json.loads(values["settings-train-trainer"])
    assert trainer["rank"] == "16"
    values["settings-train-trainer"] = json.dumps({**trainer, "rank": "32"})
    said = preview(studio, TRAINED, **values)[1]
    assert "Changed: Rank 16 → 32" in said
    assert ".at-trainer-rank :is(input, select, .wrap)" in said
    assert preview(studio, 0, **values)[1] == ""


def test_what_a_start_is_refused_for_is_said_until_the_form_is_another_one(studio):
    taken = {"train-name": "repair-lora", "train-dataset": "stdlib-faults"}
    refused, *others = start(studio, **taken)
    assert others == [gr.skip()]
    said = preview(studio, 0, refused, **taken)[0]
    assert "there is already a model &#x27;repair-lora&#x27;" in said
    assert 'data-wrong="at-name"' in said
    assert preview(studio, 0, refused, **{**taken, "train-name": "mine"})[0] == ""
    assert preview(studio, 0, "[nonsense", **taken)[0] == preview(studio, 0, '["x"]', **taken)[0] == ""


def test_a_link_with_one_setting_fills_that_one(studio):
    assert filled(studio, use="dataset:mine")["train-dataset"] == "mine"
    assert filled(studio) == {}


def test_a_link_to_learn_from_a_run_names_it_and_its_model(studio, workspace):
    run = workspace.runs.get(BENCHMARKED)
    query = read_query(learning_from(run))
    assert query["tab"] == "datasets"
    values = filled(studio, use=query["use"], kind="dataset")
    chosen = json.loads(values["settings-dataset-builder"])
    assert (chosen["name"], chosen["runs"]) == ("verdicts", str(BENCHMARKED))
    assert values["dataset-model"] == run.spec["model"]
    assert learning_from(workspace.runs.get(TRAINED)) == ""
    for use in (
        "builder.diffs.folder:/etc",
        "builder.verdicts:x",
        "generator.server.url:x",
        "builder..:6",
        "builder.runs:6",
    ):
        with pytest.raises(gr.Error, match="no setting called"):
            filled(studio, use=use, kind="dataset")


@pytest.mark.parametrize(("name", "value", "says"), [("again", BENCHMARKED, "is a benchmark run"), ("again", 99, "no run 99"),
                                                     ("use", "nothing:x", "nothing")])  # fmt: skip
def test_a_link_that_means_nothing_is_refused(studio, name, value, says):
    with pytest.raises(gr.Error, match=says):
        filled(studio, **{name: value})


@pytest.mark.parametrize("use", ["kind:merge", "nothing:x", "trainer.folder:/etc", ":", "dataset:mine,nothing:x"])
def test_a_link_can_set_only_what_the_form_has(studio, use):
    handler = next(each for each in studio.blocks.fns.values() if each.api_name == "train_fill")
    with pytest.raises(gr.Error):
        handler.fn(0, use)
