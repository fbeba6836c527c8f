"""A deleted run is removed on the machines where it was, in the background and without a word of failure to its user."""

from __future__ import annotations

import threading

from engine.errors import OutsideFailure


def test_the_folders_of_a_deleted_run_and_of_its_shards_are_removed_elsewhere(workspace, started, mute):
    removed, may_go_on = [], threading.Event()

    def remover(folder):
        if not (folder / "there.json").exists():
            return None

        def remove():
            may_go_on.wait(10)
            removed.append(folder)

        return remove

    mute.remover = remover
    run_id, folder = started("benchmark", "shards=2")
    for each in (folder.path, folder.shard(1).path, folder.shard(2).path):
        each.mkdir(parents=True, exist_ok=True)
        (each / "there.json").touch()
    folder.append("state", state="done", result={})
    workspace.tick()
    workspace.edits.delete(run_id)
    assert not folder.path.exists()
    assert removed == [], "nobody waits for it"
    may_go_on.set()
    _joined()
    assert sorted(removed) == [folder.path, folder.shard(1).path, folder.shard(2).path]


def test_a_host_that_does_not_answer_keeps_no_run(workspace, started, mute, caplog):
    def remove():
        raise OutsideFailure("gpu1 cannot be reached")

    mute.remover = lambda folder: remove
    run_id, folder = started("benchmark")
    folder.append("state", state="done", result={})
    workspace.tick()
    workspace.edits.delete(run_id)
    _joined()
    assert not folder.path.exists()
    assert "a folder of it elsewhere is not: gpu1 cannot be reached" in caplog.text


def _joined():
    for thread in threading.enumerate():
        if thread.name == "remove":
            thread.join(10)
