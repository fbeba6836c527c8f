"""A queue of trainings that fail, each for another reason: each has its cause and a sentence, and the last is done."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.assets import STARTER_MODEL
from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.spec_files import read_spec

pytestmark = pytest.mark.slow
SHORT = ["trainer.max_steps=2", "trainer.epochs=100", "trainer.batch_size=2", "trainer.logging_steps=1", "name="]
DIVERGING = [
    "trainer.method=full", "trainer.optimizer=sgd", "trainer.learning_rate=1", "trainer.max_grad_norm=0",
    "trainer.max_steps=60",
]  # fmt: skip


@pytest.fixture
def workspace(home):
    opened = Workspace(home)
    for name in ("kept", "doomed"):
        opened.runs.submit(read_spec("dataset", "demo", ["builder.samples=32", f"name={name}"]))
    deadline = time.monotonic() + 300
    while any(run.state != "done" for run in opened.runs.list()):
        assert time.monotonic() < deadline, [(run.name, run.state, run.error) for run in opened.runs.list()]
        opened.tick()
        time.sleep(0.1)
    yield opened
    opened.close()


@pytest.fixture
def small_disk(workspace):
    """Give the checkpoints of a run that is still queued a small disk of their own."""
    mounted = []

    def mount(run_id, size):
        place = Path(workspace.runs.row(run_id).folder) / "artifacts" / "checkpoints"
        place.mkdir(parents=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True)
        if done.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
        mounted.append(place)

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


def copied_model(folder, other_tokenizer=False):
    shutil.copytree(STARTER_MODEL, folder)
    if other_tokenizer:
        path = folder / "tokenizer.json"
        tokenizer = json.loads(path.read_text())
        words = tokenizer["model"]["vocab"]
        one, other = sorted(words, key=words.get)[300:302]
        words[one], words[other] = words[other], words[one]
        path.write_text(json.dumps(tokenizer))
    return folder


def test_each_failure_is_named_and_the_rest_of_the_queue_goes_on(workspace, small_disk, tmp_path):
    def submit(*settings, dataset="kept"):
        return workspace.runs.submit(read_spec("train", "demo", [*SHORT, f"dataset={dataset}", *settings]))

    gone = copied_model(tmp_path / "gone")
    other = copied_model(tmp_path / "other", other_tokenizer=True)
    diverging = submit(*DIVERGING)
    first_file, second_file = submit("trainer.save_steps=1"), submit("trainer.save_steps=1")
    small_disk(first_file, 2 << 20)  # too little for the weights
    small_disk(second_file, 5 << 20)  # for the weights, but not for the optimizer's state, which torch writes
    undone, without_model = submit(dataset="doomed"), submit(f"model={gone}")
    mistaken = submit(f"model={other}")
    undivided = submit("launcher=torchrun", "launcher.processes=2", "trainer.batch_size=3")
    good = submit()
    shutil.rmtree(gone)
    with pytest.raises(UserError, match="is used by run"):
        workspace.datasets.delete("doomed")
    shutil.rmtree(workspace.datasets.resolve("doomed")[0])  # by hand

    ended = subprocess.run(
        [sys.executable, "-m", "engine", "supervise", "--until-idle", "--home", str(workspace.home)],
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert ended.returncode == 0, ended.stderr
    rows = {run.id: run for run in (workspace.runs.row(each.id) for each in workspace.runs.list())}
    for run_id, cause, said in (
        (diverging, "user", "so the training has diverged; lower the learning rate"),
        (first_file, "disk_full", "artifacts/checkpoints has "),
        (second_file, "disk_full", "artifacts/checkpoints has "),
        (undone, "user", "dataset: the files of 'doomed' are no longer in"),
        (without_model, "user", f"there is no model or folder {str(gone)!r}"),
        (mistaken, "user", "the dataset was built with another tokenizer than this model's"),
        (undivided, "user", "neither batch_size (3) nor accumulation (1) can be divided among 2 processes"),
    ):
        run = rows[run_id]
        assert (run.state, run.cause) == ("failed", cause), f"{run.name}: {run.state} {run.error}"
        assert said in run.error
        assert run_id == undivided or "Traceback" not in workspace.runs.log(run_id)  # torchrun's own, below the reason
        assert run.name in ended.stdout
    assert (rows[good].state, rows[good].error) == ("done", "")
    started = [rows[each].started_at for each in (diverging, first_file, second_file, mistaken, undivided, good)]
    assert started == sorted(started), "the order of the queue"
