"""The stamp differs after every change that a page may show, and is the same otherwise."""

from __future__ import annotations

import time

import pytest

from engine.control.workspace import Workspace
from engine.spec_files import read_spec


def test_it_stays_while_nothing_happens(workspace, started):
    started()
    assert len({workspace.stamp() for _ in range(5)} | {workspace.tick() or workspace.stamp()}) == 1


def test_a_commit_of_this_process_and_of_another_connection_changes_it(workspace, home):
    stamps = [workspace.stamp()]
    workspace.runs.submit(read_spec("benchmark"))
    stamps.append(workspace.stamp())
    other = Workspace(home)
    other.runs.submit(read_spec("benchmark"))
    other.close()
    stamps.append(workspace.stamp())
    assert len(set(stamps)) == 3


@pytest.mark.parametrize(
    ("kind", "name"), [("benchmark", "log.txt"), ("chat", "log.txt"), ("chat", "events.jsonl"), ("chat", "inbox.jsonl")]
)
def test_a_growing_file_of_a_run_at_work_changes_it(workspace, started, kind, name):
    _, folder = started(kind)
    before = workspace.stamp()
    with (folder.path / name).open("a") as file:
        file.write("more\n")
    assert workspace.stamp() != before


def test_two_servers_never_share_a_stamp(workspace, home):
    other = Workspace(home)
    assert other.stamp() != workspace.stamp()
    other.close()


def test_it_is_cheap(workspace, started):
    started("chat")
    workspace.stamp()
    began = time.process_time()
    for _ in range(1000):
        workspace.stamp()
    assert time.process_time() - began < 1.0, "a millisecond each, where drawing a page takes 10"
