"""The links of a conversation to the form that makes rows of it, followed until the rows are made."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import pytest

from engine.assets import STARTER_MODEL
from engine.benchmarks.pocket import Pocket
from engine.builders import Funnel
from engine.control.workspace import Workspace
from engine.domain import Model
from engine.plugins import BUILDERS
from engine.rundir import Inputs, RunDir
from studio.addresses import read_query
from studio.app import create_app
from studio.columns import learning_from

BUG = next(bug for bug in Pocket(Pocket.Params()).bugs() if bug.id == "pocket/py-clock-format")


def conversation_in(path, texts):
    """The folder of a worker of another home, that held conversation 1: a patch that fails, then one that passes."""
    spec = {"kind": "chat", "bug": BUG.id, "model": "starter", "benchmark": {"name": "pocket"}}
    folder = RunDir.create(path, spec, Inputs(model=Model("starter", "base", str(STARTER_MODEL))))
    folder.ask(ask="reply", conversation=1, question=1, bug=BUG.id, message="", before=0)
    for number, (text, outcome) in enumerate(zip(texts, ("test_failed", "plausible"), strict=True), 1):
        folder.append(
            "turn", conversation=1, number=number, role="assistant", text=text, patch=BUG.replace_span(f"    {text}\n"),
            verdict={"outcome": outcome, "isolation": "isolated"}, prompt=f"a prompt that tells of {number - 1} attempts",
        )  # fmt: skip
    folder.append("answered", conversation=1, question=1)
    folder.append("state", state="done", result={})
    return folder.path


@pytest.fixture
def workspace(home, tmp_path, monkeypatch):
    """Two conversations, both with the number 1 in the folder from which they were taken in."""
    mute = SimpleNamespace(
        check=lambda spec: None, room=lambda: {"machine": 9}, needs=lambda: {"machine": 0}, name="mute"
    )
    monkeypatch.setattr("engine.plugins.LAUNCHERS.create", lambda params: mute)
    opened = Workspace(home)
    opened.take_in(conversation_in(tmp_path / "a" / "1", ("x", "y")))
    opened.take_in(conversation_in(tmp_path / "b" / "1", ("worse", "better")))
    yield opened
    opened.close()


def built(workspace, address):
    """The rows of the dataset that is started from the form as the link fills it."""
    blocks = create_app(workspace).blocks
    filling, starting = (
        next(each for each in blocks.fns.values() if each.api_name == name)
        for name in ("dataset_fill", "datasets_start")
    )
    updates = zip(filling.outputs, filling.fn(0, read_query(address)["use"]), strict=True)
    told = {part.elem_id: new["value"] for part, new in updates if new != gr.skip() and "value" in new}
    refused, *_ = starting.fn(*[told.get(part.elem_id, part.value) for part in starting.inputs])
    assert refused == ""
    (run,) = workspace.runs.rows("dataset")
    return [*BUILDERS.create(BUILDERS.params(run.spec["builder"])).stream(0, Funnel())]


@pytest.mark.parametrize("conversation", [1, 2])
def test_preferences_of_a_conversation_are_pairs_across_its_turns(workspace, conversation):
    links = learning_from(workspace.chats.view(conversation))
    (pair,) = built(workspace, links["Preferences: plausible against failed"])
    assert (pair.chosen, pair.rejected) == {1: ("y", "x"), 2: ("better", "worse")}[conversation]


def test_samples_of_a_conversation_are_its_own(workspace):
    links = learning_from(workspace.chats.view(2))
    (sample,) = built(workspace, links["Samples of its plausible patches"])
    assert sample.target == "better"
