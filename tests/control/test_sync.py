"""Events become rows once, in order, even if lines are truncated, repeated or withdrawn."""

from __future__ import annotations

import math
import shutil

import pytest

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.control.outcomes import UNREAD
from engine.rundir import RunDir

VERDICT = {"outcome": "test_failed", "reason": "", "log": "E assert 1 == 2", "failed": ["test_a"], "duration_s": 0.5}
BUG = {"id": "b/1", "language": "python", "path": "a.py", "start": 1, "end": 1, "buggy": "x\n", "fixed": "y\n"}


def steps(workspace, run_id, name="loss"):
    return [step for step, _, _ in workspace.runs.metrics(run_id).get(name, [])]


def test_a_curve_has_each_step_once(workspace, started):
    run_id, folder = started()
    for step in (1, 2, 3):
        folder.append("metric", step=step, values={"loss": 1.0 / step, "learning_rate": 0.1})
        workspace.tick()
        workspace.tick()
    assert steps(workspace, run_id) == [1, 2, 3]


def test_a_lost_offset_doubles_nothing(workspace, started):
    from storage.tables import Run

    run_id, folder = started()
    folder.append("metric", step=1, values={"loss": 1.0})
    workspace.tick()
    with workspace._database.write() as session:
        session.get_one(Run, run_id).offset = 0
    folder.append("metric", step=2, values={"loss": 0.5})
    workspace.tick()
    assert steps(workspace, run_id) == [1, 2]


def test_after_a_resume_each_step_has_one_row(workspace, started):
    run_id, folder = started()
    for step in (1, 2, 3):
        folder.append("metric", step=step, values={"loss": 1.0})
    folder.append("resumed", step=1)
    for step in (2, 3):
        folder.append("metric", step=step, values={"loss": 2.0})
    workspace.tick()
    assert [(s, v) for s, v, _ in workspace.runs.metrics(run_id)["loss"]] == [(1, 1.0), (2, 2.0), (3, 2.0)]


def test_a_saved_checkpoint_is_a_point_with_step_and_time(workspace, started):
    run_id, folder = started()
    folder.append("metric", step=1, values={"loss": 1.0, "gpu0_used_bytes": 5.0})
    folder.append("metric", step=1, values={"gpu0_used_bytes": 7.0})  # sampled between two steps
    for step in (2, 4):
        folder.append("checkpoint", step=step, path="x")
    folder.append("resumed", step=2)
    workspace.tick()
    written = {event.seq: event.time for event in folder.all_events()}
    curves = workspace.runs.metrics(run_id)
    assert curves["checkpoint"] == [(2, 1.0, written[3])], "that of step 4 was lost with what came after step 2"
    assert [(step, value) for step, value, _ in curves["gpu0_used_bytes"]] == [(1, 5.0), (1, 7.0)]


def test_a_loss_that_is_not_a_number_is_left_out(workspace, started):
    run_id, folder = started()
    folder.append("metric", step=1, values={"loss": math.nan, "grad_norm": 1.0})
    workspace.tick()
    assert set(workspace.runs.metrics(run_id)) == {"grad_norm"}


def test_a_broken_line_is_counted_and_passed_over(workspace, started):
    run_id, folder = started()
    folder.events_path.open("a").write("{broken\n")
    folder.append("progress", done=1, total=4, text="one of four")
    workspace.tick()
    run = workspace.runs.row(run_id)
    assert (run.broken_lines, run.progress_text) == (1, "one of four")


def test_lines_that_cannot_be_read_are_said_on_the_run_with_the_reason_of_the_first(workspace, started):
    run_id, folder = started("chat", "bug=x")
    workspace.tick()
    assert workspace.runs.get(run_id).unread == ""
    patch = {"bug_id": "b", "source": "model", "rank": 1, "verdict": {"outcome": "plausible"}}
    folder.append("patch", **patch, tokens_written=10**30)
    workspace.tick()
    first = "(the first: PatchEvent.tokens_written: should be less than or equal to 9223372036854775807)"
    one = f"1 line of its events could not be read {first}; what they tell is missing here"
    assert workspace.runs.get(run_id).unread == one
    folder.append("patch", **patch, tokens_written=-3)
    folder.append("state", state="done", result={"turns": 0, UNREAD: "of the worker"})
    workspace.tick()
    run = workspace.runs.get(run_id)
    assert (run.state, run.unread) == ("done", one.replace("1 line", "2 lines"))
    again = workspace.take_in(folder.path)
    assert (again, workspace.runs.get(run_id).unread) == (run_id, run.unread)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{broken", "key must be a string at line 1 column 2"),
        (b"[1, 2]", "Line: should be a dictionary or an instance of _Line"),
        (b'{"seq": 7, "time": 1.0, "event": "progress", "done": 1}', "seq: 7 where 1 is the largest that can be"),
        (
            b'{"seq": 1, "time": 1.0, "event": "state", "state": "' + b"x" * 999 + b'"}',
            "State.state.literal['running']: should be 'running'",
        ),
    ],
)
def test_what_is_wrong_with_a_line_is_said_in_a_few_words(workspace, started, line, said):
    run_id, folder = started()
    folder.events_path.open("ab").write(line + b"\n")
    workspace.tick()
    unread = workspace.runs.get(run_id).unread
    assert f"(the first: {said}" in unread
    assert len(unread) < 400


@pytest.mark.parametrize("ahead", [2, 9000])
@pytest.mark.parametrize("before", ["nothing odd", "a torn line", "a kind of a later version", "many broken lines"])
def test_a_number_far_ahead_is_a_broken_line_and_swallows_nothing(workspace, started, before, ahead):
    """Whether the worker goes on, or another one counts on from the file."""
    run_id, folder = started()
    for step in range(1, 301):
        folder.append("metric", step=step, values={"loss": 1.0})
    odd = {"nothing odd": b"", "a torn line": b'{"seq": 301, "ti\n', "many broken lines": b"{}\n" * 5}.get(before)
    if odd is None:
        folder.append("hologram", depth=3)
        odd = b""
    broken = odd.count(b"\n")
    last = 300 + (before == "a kind of a later version")
    workspace.tick()
    with folder.events_path.open("ab") as file:
        file.write(odd)
        file.write(b'{"seq": %d, "time": 1.0, "event": "progress", "done": 1}\n' % (last + ahead + broken))
    workspace.tick()
    folder.append("metric", step=301, values={"loss": 1.0})
    another = RunDir(folder.path)
    another.append("metric", step=302, values={"loss": 1.0})
    workspace.tick()
    assert steps(workspace, run_id) == list(range(1, 303))
    another.append("state", state="done", result={})
    workspace.tick()
    run = workspace.runs.row(run_id)
    assert (run.state, run.broken_lines) == ("done", broken + 1)


def test_a_patch_evaluated_again_replaces_its_verdict(workspace, started):
    run_id, folder = started()
    folder.append("bug", **BUG)
    for outcome in ("not_run", "plausible"):
        folder.append(
            "patch", bug_id="b/1", source="model", rank=1, text="y\n", verdict={**VERDICT, "outcome": outcome}
        )
        workspace.tick()
    rows, total = workspace.patches.page(run_id)
    assert (total, rows[0].cells) == (1, ((1, "plausible"),))


def test_a_finished_training_is_a_model_and_a_failed_parity_is_not_offered(workspace, started, dataset):
    _, folder = started("train", "name=mine", f"dataset={dataset}")
    shutil.copytree(STARTER_ADAPTER, folder.artifacts / "model")
    folder.append("state", state="done", result={})
    workspace.tick()
    entry = next(e for e in workspace.models.list() if e.name == "mine")
    assert (entry.kind, entry.base, entry.usable) == ("adapter", str(STARTER_MODEL), True)
    _, folder = started("merge", "name=merged", "adapter=mine")
    folder.append("state", state="done", result={"usable": False})
    workspace.tick()
    assert "merged" not in workspace.models.names()
    assert "merged" in [entry.name for entry in workspace.models.list()]


def test_a_merged_model_whose_patches_differ_is_offered_with_its_caution(workspace, started):
    _, folder = started("merge", "name=merged")
    caution = "only 3 of 5 patches are the same as the adapter's"
    folder.append("state", state="done", result={"usable": True, "caution": caution})
    workspace.tick()
    entry = next(entry for entry in workspace.models.list() if entry.name == "merged")
    assert (entry.usable, entry.note) == (True, caution)
