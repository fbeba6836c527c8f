"""A leading worker goes on when things go wrong elsewhere, and says what its shards have."""

from __future__ import annotations

import errno
import shutil
import threading
import time

import pytest
from elsewhere import DONE, at_work_before, told

from engine.errors import OutsideFailure
from engine.events import PatchEvent, Progress, State
from engine.run_inputs import Inputs
from engine.rundir import RunDir
from engine.specs import BenchmarkSpec
from engine.work import lead as leading


@pytest.fixture
def run(tmp_path):
    made = RunDir.create(tmp_path / "home" / "runs" / "7", {}, Inputs())
    (made.path / "shards").mkdir()
    return made


def spec_of(shards=2):
    return BenchmarkSpec(model="x", candidates=1, shards=shards)


def lead(run, shards=2):
    return leading.lead(spec_of(shards), Inputs(), run)


def test_all_shards_are_done_as_there_is_room(cluster, run):
    assert lead(run, 3)["bugs"] == 3
    assert sorted(cluster.submitted) == [1, 2, 3]
    assert len(told(run, PatchEvent)) == 3


def test_a_scheduler_that_does_not_answer_for_once_stops_no_shard(cluster, run):
    at_work_before(cluster, run, 1, 2)
    cluster.troubles["is_alive"] = [ConnectionError("squeue does not answer") for _ in range(3)]
    threading.Timer(0.3, lambda: [run.shard(number).emit(DONE) for number in (1, 2)]).start()
    assert lead(run)["bugs"] == 2
    assert (cluster.stops, cluster.submitted) == ([], [])


@pytest.mark.parametrize("method", ["submit", "find"])
def test_a_launcher_that_takes_none_just_now_is_asked_again(cluster, run, method):
    at_work_before(cluster, run, 1)
    RunDir.create(run.shard(2).path, {}, Inputs())
    cluster.troubles[method] = [OutsideFailure("QOSMaxSubmitJobPerUserLimit"), ConnectionError("no answer")] * 2
    threading.Timer(0.2, lambda: run.shard(1).emit(DONE)).start()
    assert lead(run)["bugs"] == 2
    assert (cluster.stops, cluster.submitted) == ([], [2])


def test_a_launcher_that_takes_none_at_all_fails_the_run(cluster, run):
    cluster.troubles["submit"] = [OutsideFailure("invalid partition")] * 100
    with pytest.raises(OutsideFailure, match="shard [12] of 2: invalid partition; resume the run when it can be"):
        lead(run)


def test_shards_are_asked_to_end_when_nothing_can_be_written_here(cluster, run):
    at_work_before(cluster, run, 1)
    cluster.troubles["submit"] = [OSError(errno.ENOSPC, "No space left on device")]
    with pytest.raises(OSError, match="No space"):
        lead(run)
    assert cluster.stops == ["job 1"]


def test_a_stop_is_passed_on_before_a_slow_scheduler_is_asked(cluster, run, monkeypatch):
    at_work_before(cluster, run, 1)
    asked, is_alive = [], cluster.is_alive
    monkeypatch.setattr(cluster, "is_alive", lambda handle: asked.append([*cluster.stops]) or is_alive(handle))
    made = leading._Leading(spec_of(), Inputs(), run)
    made.shards[0].handle = "job 1"
    made._stops.set()
    made._watched(made.shards[0], cluster)
    assert asked[0] == ["job 1"]


def test_a_shard_whose_folder_was_removed_is_ended_and_started_in_a_new_one(cluster, run, monkeypatch):
    at_work_before(cluster, run, 1, 2)
    killed, answers = [], [ConnectionError("the host does not answer")]

    def stop(handle, run_dir, *, force):
        if answers:
            raise answers.pop()
        killed.append((handle, force))

    monkeypatch.setattr(cluster, "stop", stop)

    def remove():
        run.shard(2).emit(DONE)
        shutil.rmtree(run.shard(1).path)

    threading.Timer(0.3, remove).start()
    assert lead(run)["bugs"] == 2
    assert (killed, cluster.submitted) == ([("job 1", True)], [1])
    assert len(told(run, PatchEvent)) == 2  # read from its beginning, and said once


def cards_said(run):
    return [state.cards for state in told(run, State)]


def wait_until(is_so):
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def led(cluster, run):
    """A leader at work in a thread, with two shards that have a GPU each."""
    at_work_before(cluster, run, 1, 2)
    thread = threading.Thread(target=lead, args=(run,), daemon=True)
    thread.start()
    wait_until(lambda: cards_said(run)[-1:] == [2])
    yield run
    cluster.pending = set()
    for number in (1, 2):
        run.shard(number).emit(DONE)
    thread.join(10)


def test_a_shard_that_waits_for_a_machine_again_has_no_gpu(cluster, led):
    cluster.pending = {"job 2"}
    wait_until(lambda: cards_said(led)[-1] == 1)
    cluster.pending = set()
    wait_until(lambda: cards_said(led)[-1] == 2)
    cluster.pending = {"job 2"}
    led.shard(2).beat()
    time.sleep(0.2)
    assert cards_said(led)[-1] == 2, "an older answer of its scheduler counts more than its heartbeat"


def test_shards_that_have_a_machine_are_counted(cluster, led):
    def said():
        return told(led, State)[-1].workers

    wait_until(lambda: said() == 2)
    cluster.pending = {"job 2"}
    wait_until(lambda: said() == 1)
    led.shard(1).emit(DONE)
    wait_until(lambda: said() == 0)


def test_what_has_not_changed_is_not_said_again(cluster, led):
    said = "0 of 2 shards done, 2 patches evaluated"
    wait_until(lambda: [each.text for each in told(led, Progress)][-1:] == [said])
    before = len(told(led, Progress))
    time.sleep(0.3)  # fifteen times what is between two looks
    assert len(told(led, Progress)) == before
    cluster.pending = {"job 2"}
    wait_until(lambda: told(led, Progress)[-1].text == f"{said}, 1 waiting (no machine yet)")
    assert len(told(led, Progress)) == before + 1


def test_gpus_are_counted_until_the_last_shard_has_saved(cluster, run, monkeypatch):
    at_work_before(cluster, run, 1, 2)
    monkeypatch.setattr(cluster, "stop", lambda handle, run_dir, *, force: cluster.stops.append(handle))
    made = leading._Leading(spec_of(), Inputs(), run)

    def saved():
        wait_until(lambda: len(cluster.stops) == 2)
        for number, left in ((1, 1), (2, 0)):
            run.shard(number).emit(State("stopped"))
            wait_until(lambda left=left: cards_said(run)[-1] == left)

    def stopped(threads):
        wait_until(lambda: made.said.say(is_stopping=False) or cards_said(run)[-1:] == [2])
        saving.start()
        raise SystemExit(143)

    saving = threading.Thread(target=saved, daemon=True)
    monkeypatch.setattr(made, "_wait_for", stopped)
    with pytest.raises(SystemExit):
        made.work()
    saving.join()
    assert cards_said(run)[-3:] == [2, 1, 0]


def test_gpus_before_a_resume_count_where_only_the_result_is_left_to_be_made(cluster, run):
    at_work_before(cluster, run, 1, 2)
    for number in (1, 2):
        run.shard(number).emit(DONE)
    for cards in (0, 1, 2, 1, 0):
        run.emit(State("running", cards=cards))
    assert lead(run)["gpus"] == 2
    assert cluster.submitted == []
