import shlex
import subprocess

import pytest
from archive_command import archive_command


def test_plain_words():
    assert archive_command("a.tgz", ["src", "docs"]) == "tar -czf a.tgz -- src docs"


def test_folder_with_spaces():
    words = shlex.split(archive_command("my file.tgz", ["my docs"]))
    assert words == ["tar", "-czf", "my file.tgz", "--", "my docs"]


def test_plain_exclude():
    words = shlex.split(archive_command("a.tgz", ["src"], ["build"]))
    assert words == ["tar", "-czf", "a.tgz", "--exclude=build", "--", "src"]


def test_exclude_is_one_word():
    words = shlex.split(archive_command("a.tgz", ["src"], ["x y", "it's"]))
    assert words == ["tar", "-czf", "a.tgz", "--exclude=x y", "--exclude=it's", "--", "src"]


def test_exclude_cannot_start_a_command():
    patterns = ["x; echo no", "$(echo no)", "it's $(echo no)", "`echo no`"]
    command = archive_command("a.tgz", ["src"], patterns)
    shown = command.replace("tar ", "printf '%s\\n' ", 1)  # the words that a real shell makes of it
    words = subprocess.run(["sh", "-c", shown], capture_output=True, text=True).stdout.splitlines()
    assert words == ["-czf", "a.tgz", *[f"--exclude={pattern}" for pattern in patterns], "--", "src"]


def test_nothing_to_pack():
    with pytest.raises(ValueError):
        archive_command("a.tgz", [])
