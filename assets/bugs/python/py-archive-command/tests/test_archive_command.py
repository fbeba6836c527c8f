import shlex

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
    command = archive_command("a.tgz", ["src"], ["x; reboot"])
    assert ";" not in list(shlex.shlex(command, posix=True, punctuation_chars=True))


def test_nothing_to_pack():
    with pytest.raises(ValueError):
        archive_command("a.tgz", [])
