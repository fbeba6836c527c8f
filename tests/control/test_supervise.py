"""Watching goes on whatever becomes of one run."""

from __future__ import annotations

import shutil


def test_a_run_whose_folder_was_removed_fails_and_the_others_go_on(workspace, started, mute):
    gone, folder = started("chat", "bug=x")
    other, its_folder = started()
    shutil.rmtree(folder.path)
    its_folder.emit("progress", done=1, total=2, text="half")
    workspace.tick()
    lost = workspace.runs.get(gone)
    assert (lost.state, lost.cause) == ("failed", "outside")
    assert "was removed while it ran" in lost.error
    assert mute.asked == "force"
    assert workspace.runs.get(other).progress_text == "half"
