from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from engine.trainers.checkpoint import SEAL, complete, damage_of, newest_complete, rotate, seal, step_of

FILES = ("adapter_model.safetensors", "optimizer.pt", "rng_state.pth", "trainer_state.json")


def save(folder, step, files=FILES, sealed=True):
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    for name in files:
        (path / name).write_text("x" * 1000)
    if sealed:
        seal(path)
    return path


def test_the_newest_sealed_checkpoint_is_found_by_step_not_by_name(tmp_path):
    save(tmp_path, 9)
    save(tmp_path, 10)
    assert step_of(newest_complete(tmp_path)) == 10


@pytest.mark.parametrize("stage", range(len(FILES) + 1))
def test_a_save_cut_short_at_any_stage_is_passed_over_and_kept(tmp_path, stage):
    good = save(tmp_path, 5)
    save(tmp_path, 10, FILES[:stage], sealed=False)
    assert newest_complete(tmp_path) == good
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint-5", "incomplete-10"}


def test_an_unfinished_seal_is_no_seal(tmp_path):
    cut = save(tmp_path, 10, sealed=False)
    (cut / f"{SEAL}.tmp").write_text("every file")
    assert newest_complete(tmp_path) is None
    assert (tmp_path / "incomplete-10" / f"{SEAL}.tmp").exists()


def test_a_checkpoint_saved_again_is_complete(tmp_path):
    folder = save(tmp_path, 10)
    (folder / "optimizer.pt").write_text("y" * 900)
    seal(folder)
    assert damage_of(folder) == ""
    assert newest_complete(tmp_path) == folder


def test_incomplete_ones_never_replace_each_other(tmp_path):
    for _ in range(3):
        save(tmp_path, 10, sealed=False)
        newest_complete(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"incomplete-10", "incomplete-10-2", "incomplete-10-3"}


def test_rotation_keeps_the_newest_and_counts_sealed_ones_only(tmp_path):
    for step in (5, 10, 15):
        save(tmp_path, step)
    save(tmp_path, 20, sealed=False)
    rotate(tmp_path, 2)
    assert [step_of(path) for path in complete(tmp_path)] == [10, 15]
    assert (tmp_path / "checkpoint-20").exists()


def test_rotation_refuses_to_keep_one_only(tmp_path):
    with pytest.raises(AssertionError, match="keeping 1"):
        rotate(tmp_path, 1)


def test_no_folder_is_no_checkpoint(tmp_path):
    assert newest_complete(tmp_path / "none") is None


KILLED = """
import os, signal, sys
from pathlib import Path
from engine.trainers import checkpoint
folder, at = Path(sys.argv[1]), int(sys.argv[2])
calls = 0
def stop_here(*_):
    global calls
    calls += 1
    if calls == at:
        os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(lambda frame, event, arg: stop_here() if event == "c_call" else None)
checkpoint.seal(folder)
sys.setprofile(None)
print(calls)
"""


def test_sigkill_while_sealing_leaves_a_complete_checkpoint_or_none(tmp_path):
    def sealing(name, at):
        good, cut = save(tmp_path / name, 5), save(tmp_path / name, 10, sealed=False)
        ended = subprocess.run([sys.executable, "-c", KILLED, str(cut), str(at)], capture_output=True, text=True)
        return ended, good, newest_complete(tmp_path / name)

    undisturbed, good, newest = sealing("undisturbed", 0)
    assert step_of(newest) == 10
    calls = int(undisturbed.stdout)
    found = []
    for at in (round(share * calls) for share in (0.05, 0.3, 0.6, 0.8, 0.85, 0.9, 0.95, 1)):
        ended, good, newest = sealing(str(at), at)
        assert ended.returncode == -signal.SIGKILL, ended
        found.append(step_of(newest))
        assert all((newest / name).read_text() == "x" * 1000 for name in FILES)
        assert newest == good or damage_of(newest) == ""
    assert set(found) == {5, 10}, "kills before the seal and kills after it"
    assert found == sorted(found)


def change(file):
    file.write_text("y" * 1000)


def cut(file):
    file.write_text("x" * 400)


@pytest.mark.parametrize(
    ("harm", "said"),
    [(change, "was changed since"), (cut, "400 bytes of 1,000"), (lambda file: file.unlink(), "is missing")],
)
def test_a_damaged_newest_checkpoint_is_skipped_for_the_one_before(tmp_path, harm, said):
    good = save(tmp_path, 5)
    newest = save(tmp_path, 10)
    harm(newest / "optimizer.pt")
    assert said in damage_of(newest)
    assert newest_complete(tmp_path) == good
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint-5", "damaged-10"}


LINE = b"%08x 1000 optimizer.pt\n" % zlib.crc32(b"x" * 1000)


DAMAGED_SEALS = {
    "empty": b"",
    "an empty line": b"\n",
    "zeros": b"\0" * 200,
    "the first version's sentence, cut": b"every file of this checkpoint is on the disk",
    "another sentence": b"every file of this checkpoint\n",
    "a line that is none": LINE + b"the rest\n",
    "a second line that is empty": LINE + b"\n",
    "a line without a name": LINE + b"6d5d1d1a 1000\n",
    "a size without end": LINE + b"6d5d1d1a " + b"9" * 5000 + b" rng_state.pth\n",
    "no newline at its end": LINE + LINE.replace(b"optimizer.pt\n", b"rng_state.pth"),
    "no text": LINE + LINE.replace(b"optimizer.pt", b"rng_\xff\xfe.pth"),
    "a zero in a name": LINE + LINE.replace(b"optimizer.pt", b"a\0b"),
}


@pytest.mark.parametrize("content", DAMAGED_SEALS.values(), ids=DAMAGED_SEALS)
def test_a_damaged_seal_vouches_for_nothing(tmp_path, content):
    good = save(tmp_path, 5)
    (save(tmp_path, 10) / SEAL).write_bytes(content)
    assert newest_complete(tmp_path) == good
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint-5", "damaged-10"}


def test_a_seal_of_one_line_vouches_for_that_file(tmp_path):
    newest = save(tmp_path, 10)
    (newest / SEAL).write_bytes(LINE)
    assert newest_complete(tmp_path) == newest


@pytest.mark.parametrize("unreadable", [SEAL, "optimizer.pt"])
def test_what_cannot_be_read_is_damage(tmp_path, monkeypatch, unreadable):
    good = save(tmp_path, 5)
    newest = save(tmp_path, 10)
    opened = Path.open

    def fail(path, *given, **named):
        if path == newest / unreadable:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(path, *given, **named)

    monkeypatch.setattr(Path, "open", fail)
    assert damage_of(newest) == f"{unreadable} cannot be read: Input/output error"
    assert newest_complete(tmp_path) == good


def test_one_sealed_by_the_first_version_still_counts(tmp_path):
    old = save(tmp_path, 5)
    (old / SEAL).write_text("every file of this checkpoint is on the disk\n")
    assert newest_complete(tmp_path) == old
