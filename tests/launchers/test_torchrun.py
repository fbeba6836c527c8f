"""Trainings in several processes: what is asked of the launcher (`test_trained_together` really trains)."""

from __future__ import annotations

import pytest

from engine import ranks
from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.gpus import Gpu
from engine.launchers.local import PROCESSOR, Local
from engine.launchers.torchrun import Torchrun
from engine.plugins import LAUNCHERS
from engine.rundir import RunDir
from engine.spec_files import read_spec

GIB = 1 << 30


@pytest.fixture
def cards(monkeypatch):
    """Give this machine two GPUs of 80 GiB."""
    two = (Gpu("H", 80 * GIB, 0), Gpu("H", 80 * GIB, 0))
    monkeypatch.setattr("engine.launchers.local.gpus", lambda: two)


def torchrun(**settings):
    return Torchrun(Torchrun.Params(**settings))


def test_it_takes_the_devices_that_it_was_given(cards):
    assert torchrun().needs() == {"GPU 0": 1.0, "GPU 1": 1.0}
    assert torchrun(devices="1").needs() == {"GPU 1": 1.0}
    assert torchrun(devices="cpu", processes=8).needs() == {PROCESSOR: 1.0}
    with pytest.raises(UserError, match="3 processes need as many GPUs, and the run has 2"):
        torchrun(processes=3).needs()


@pytest.mark.parametrize(
    ("settings", "processes", "own_gpu"),
    [({}, "2", True), ({"processes": 1}, "1", True), ({"devices": "cpu"}, "1", False)],
)
def test_it_starts_a_process_for_each_gpu(cards, tmp_path, settings, processes, own_gpu):
    words = torchrun(**settings)._command(tmp_path)
    assert words[words.index("--nproc-per-node") + 1] == processes
    assert ("--virtual-local-rank" in words) == own_gpu
    assert words[-2:] == ["engine.work", str(tmp_path)]


def test_a_new_start_does_not_meet_where_an_earlier_one_ends(tmp_path):
    places = [words[words.index("--rdzv-endpoint") + 1] for words in (torchrun()._command(tmp_path) for _ in range(2))]
    assert places[0] != places[1]


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("benchmark", [], "starts trainings only, and this is a benchmark run; choose local"),
        ("dataset", [], "starts trainings only"),
        ("train", ["trainer=kto"], "the trainer kto works in one process only"),
        ("train", ["trainer.method=qlora", "launcher.strategy=fsdp"], "fsdp cannot share weights of 4 or 8 bits"),
        ("train", ["trainer.base_bits=8", "launcher.strategy=fsdp_offload"], "cannot share weights of 4 or 8 bits"),
    ],
)
def test_what_it_cannot_start_is_refused_with_a_sentence(kind, settings, said):
    spec = read_spec(kind, "", ["launcher=torchrun", *settings])
    with pytest.raises(UserError, match=said):
        LAUNCHERS.create(spec.launcher).check(spec)


def test_it_is_refused_before_it_is_queued(home):
    workspace = Workspace(home)
    with pytest.raises(UserError, match="torchrun starts trainings only"):
        workspace.runs.submit(read_spec("benchmark", "", ["launcher=torchrun"]))
    assert not workspace.runs.list()
    workspace.close()


def test_a_gpu_is_one_device_for_both_launchers(home, cards, monkeypatch):
    started = []
    monkeypatch.setattr(Local, "submit", lambda self, path, environment: started.append(self.name) or "1")
    monkeypatch.setattr(Local, "is_alive", lambda self, handle: True)
    workspace = Workspace(home)
    local = workspace.runs.submit(read_spec("benchmark", "", ["launcher.devices=0"]))
    row = workspace.runs.submit(read_spec("benchmark", "", ["launcher.devices=1"]))
    with workspace._database.write() as session:  # a training without its dataset
        from storage.tables import Run

        session.get_one(Run, row).spec = {**session.get_one(Run, row).spec, "launcher": {"name": "torchrun"}}
    workspace.tick()
    assert [workspace.runs.row(each).state for each in (local, row)] == ["starting", "queued"]
    workspace.close()


def test_a_process_that_does_not_lead_writes_only_why_it_failed(tmp_path, monkeypatch):
    run = RunDir(tmp_path)
    run.events_path.touch()
    run.reserve_ending()
    for name, value in ((ranks.STRATEGY, "ddp"), ("RANK", "1"), ("WORLD_SIZE", "2")):
        monkeypatch.setenv(name, value)
    (tmp_path / ranks.FOLDER).mkdir()
    quiet = ranks.folder_of(tmp_path)
    from engine.events import Progress

    with run.held(), quiet.held():
        quiet.emit(Progress(1))
        quiet.beat()
        quiet.end("stopped")
        assert (run.events().events, run.ending()) == ([], None)
        quiet.end("failed", error="no memory", cause="out_of_memory")
        quiet.end("failed", error="connection closed", cause="bug")
    assert run.events().events == []
    assert (run.ending().payload.error, run.ending().payload.cause) == ("process 2 of 2: no memory", "out_of_memory")
    monkeypatch.setenv("RANK", "0")
    assert ranks.first_failure(run).error == "process 2 of 2: no memory"
    run.reserve_ending()
    assert ranks.first_failure(run) is None, "it ended by itself"
    (tmp_path / ranks.FOLDER / "1.lock").touch()
    assert ranks.first_failure(run).error == "process 2 of 2 was killed (possibly out of memory)"
