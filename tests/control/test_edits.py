"""Runs are renamed with their results, annotated, and deleted with all they made; what is used stays."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.control.workspace import Workspace
from engine.errors import UserError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "studio"))
from filled import fill


@pytest.fixture
def workspace(home):
    fill(home)
    made = Workspace(home)
    yield made
    made.close()


def named(workspace, name):
    return next(run for run in workspace.runs.list() if run.name == name)


def test_an_adapter_is_renamed_wherever_ended_runs_name_it(workspace):
    run = named(workspace, "repair-lora")
    workspace.edits.rename(run.id, "best of all")
    assert workspace.runs.get(run.id).name == "best of all"
    assert "best of all" in workspace.models.names()
    assert "repair-lora" not in workspace.models.names()
    merge = named(workspace, "repair-lora-merged")
    assert merge.spec["adapter"] == "best of all"
    assert next(iter(workspace.origin(merge))).name == "best of all"
    assert {"repair-lora-merged", "pocket-repair-lora"} <= {user.name for user in workspace.edits.users(run.id)}


@pytest.mark.parametrize("name", ["", "  ", "a/b", "starter", "repair-qlora", "train-9"])
def test_a_name_that_is_taken_or_cannot_be_one_is_refused(workspace, name):
    run = named(workspace, "repair-lora")
    with pytest.raises(UserError, match="name"):
        workspace.edits.rename(run.id, name)
    assert workspace.runs.get(run.id).name == "repair-lora"


def test_what_others_wait_for_keeps_its_name_and_stays(workspace):
    dataset = named(workspace, "stdlib-faults")
    for change in (lambda: workspace.edits.rename(dataset.id, "other"), lambda: workspace.edits.delete(dataset.id)):
        with pytest.raises(UserError, match=r"used by run \d+ \(repair-qlora\)"):
            change()
    running = named(workspace, "repair-qlora")
    with pytest.raises(UserError, match="is running"):
        workspace.edits.delete(running.id)
    with pytest.raises(UserError, match="is running"):
        workspace.edits.rename(running.id, "other")


def test_a_note_is_kept_found_and_not_endless(workspace):
    run = named(workspace, "pocket-starter")
    workspace.edits.annotate(run.id, " before the fix of the prompt \n")
    assert workspace.runs.get(run.id).note == "before the fix of the prompt"
    assert [found.id for found in workspace.runs.list(search="fix of the")] == [run.id]
    with pytest.raises(UserError, match="2,000"):
        workspace.edits.annotate(run.id, "x" * 2001)
    with pytest.raises(UserError, match="not valid Unicode"):
        workspace.edits.annotate(run.id, "half of a pair \ud800")  # as a shell gives a byte that is no UTF-8


def test_a_deleted_run_is_gone_with_all_it_made_and_its_number_is_not_given_again(workspace):
    ended = [run for run in workspace.runs.list() if run.has_ended and run.name != "stdlib-faults"]
    assert {run.kind for run in ended} >= {"train", "merge", "benchmark"}
    for run in ended:
        workspace.edits.delete(run.id)
        assert not Path(run.folder).exists()
        with pytest.raises(UserError, match="no run"):
            workspace.runs.get(run.id)
    assert "repair-lora" not in workspace.models.names()
    with workspace._database.read() as session:
        left = {
            table: session.connection()
            .exec_driver_sql(f"SELECT count(*) FROM {table} WHERE run_id = {ended[0].id}")
            .scalar()
            for table in ("metric", "lastmetric", "bug", "outcomecount", "model", "dataset")
        }
    assert set(left.values()) == {0}


def test_a_chat_is_deleted_with_its_conversations_and_the_newest_number_stays_taken(workspace):
    chat = named(workspace, "chat-starter")
    with workspace._database.write() as session:
        session.connection().exec_driver_sql(f"UPDATE run SET state = 'done' WHERE id = {chat.id}")
    assert chat.id == max(run.id for run in workspace.runs.list())
    workspace.edits.delete(chat.id)
    assert not workspace.chats.list()
    with workspace._database.write() as session:
        session.connection().exec_driver_sql(
            'INSERT INTO run (kind, name, note, state, spec, folder, "group", place, launcher, handle, created_at, stop_now,'
            " offset, last_seq, broken_lines, progress_done, progress_text, error, cause, result)"
            " VALUES ('chat', 'x', '', 'done', '{}', '', '', 0, 'local', '', 0, 0, 0, 0, 0, 0, '', '', '', '{}')"
        )
    assert max(run.id for run in workspace.runs.list()) == chat.id + 1


def test_the_base_of_an_adapter_is_not_deleted(workspace):
    merge, adapter = named(workspace, "repair-lora-merged"), named(workspace, "repair-lora")
    with workspace._database.write() as session:
        session.connection().exec_driver_sql(
            f"UPDATE model SET base = '{merge.folder}/artifacts/model' WHERE run_id = {adapter.id}"
        )
    with pytest.raises(UserError, match=f"delete run {adapter.id} first"):
        workspace.edits.delete(merge.id)
    workspace.edits.delete(adapter.id)
    workspace.edits.delete(merge.id)
