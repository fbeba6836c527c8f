"""A worker that holds the base model of a conversation answers it, with another adapter if need be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.rundir import RunDir
from engine.spec_files import read_spec

BUG = "pocket/py-clock-format"


def start(workspace, *overrides):
    conversation = workspace.chats.start(read_spec("chat", "demo", [f"bug={BUG}", *overrides]))
    workspace.tick()
    return conversation


def run_of(workspace, conversation):
    return workspace.runs.row(workspace.chats.get(conversation).run_id)


def last_question(workspace, conversation):
    return RunDir(Path(run_of(workspace, conversation).folder)).questions()[0][-1]


@pytest.fixture
def first(workspace, mute):
    """A conversation with the shipped adapter, which is loaded."""
    return start(workspace)


@pytest.fixture
def copied(tmp_path):
    """Another adapter of the same base model, in a folder of its own."""
    folder = tmp_path / "my-adapter"
    shutil.copytree(STARTER_ADAPTER, folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": str(STARTER_MODEL)}))
    return folder


def test_another_adapter_of_the_same_base_needs_no_second_worker(workspace, first, copied):
    second = start(workspace, f"model={copied}")
    assert run_of(workspace, second).id == run_of(workspace, first).id
    workspace.chats.send(first)
    assert "loaded" not in last_question(workspace, first), "its own model"
    workspace.chats.send(second)
    question = last_question(workspace, second)
    assert question["model"] == str(copied)
    assert (question["loaded"]["path"], question["loaded"]["base"]) == (str(copied), str(STARTER_MODEL))
    assert workspace.chats.view(second).model == str(copied)
    third = start(workspace, "model=starter")
    assert run_of(workspace, third).id == run_of(workspace, first).id, "the base model itself"


def test_the_worker_that_has_the_very_model_comes_first(workspace, first):
    other = start(workspace, "model=starter", "generator.base_bits=8")
    again = start(workspace, "generator.base_bits=8")  # swapped in there
    assert run_of(workspace, again).id == run_of(workspace, other).id != run_of(workspace, first).id
    same = start(workspace)
    assert run_of(workspace, same).id == run_of(workspace, first).id


def test_another_base_model_gets_a_worker_of_its_own(workspace, first, copied, tmp_path):
    base = tmp_path / "other-base"
    shutil.copytree(STARTER_MODEL, base)
    config = json.loads((copied / "adapter_config.json").read_text())
    (copied / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": str(base)}))
    for model in (base, copied):
        assert run_of(workspace, start(workspace, f"model={model}")).id != run_of(workspace, first).id


def test_a_conversation_goes_on_with_its_own_model_once_that_is_unloaded(workspace, first, copied, mute):
    second = start(workspace, f"model={copied}")
    before = run_of(workspace, second)
    RunDir(Path(before.folder)).append("state", state="stopped")
    mute.alive = False
    workspace.tick()
    mute.alive = True
    workspace.chats.send(second)
    after = run_of(workspace, second)
    assert after.id != before.id
    assert after.spec["model"] == str(copied)
    assert "loaded" not in last_question(workspace, second)


def test_an_adapter_that_is_gone_is_named_and_nothing_is_asked(workspace, first, copied):
    second = start(workspace, f"model={copied}")
    shutil.rmtree(copied)
    with pytest.raises(UserError, match="there is no model or folder"):
        workspace.chats.send(second)
    assert not workspace.chats.view(second).is_busy


def test_a_conversation_is_found_again_with_its_model(workspace, first, copied, tmp_path):
    second = start(workspace, f"model={copied}")
    workspace.chats.send(second, "mind midnight")
    run = run_of(workspace, second)
    other = Workspace(tmp_path / "other-home")
    shutil.copytree(run.folder, tmp_path / "moved")
    other.take_in(tmp_path / "moved")
    assert [conversation.model for conversation, _ in other.chats.list()] == [str(copied)]
    other.close()
