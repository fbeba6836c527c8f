"""A folder that exists is complete."""

from __future__ import annotations

import pytest

from engine.artifacts import atomic_folder


def test_it_appears_when_it_is_complete_and_replaces_an_earlier_one(tmp_path):
    folder = tmp_path / "model"
    for content in ("first", "second"):
        with atomic_folder(folder) as unfinished:
            (unfinished / content).touch()
            assert not folder.exists()
        assert [path.name for path in folder.iterdir()] == [content]
        assert list(tmp_path.iterdir()) == [folder]


def test_of_one_that_was_cut_short_nothing_stays(tmp_path):
    folder = tmp_path / "model"

    def cut_short():
        with atomic_folder(folder) as unfinished:
            (unfinished / "half").touch()
            raise SystemExit(143)

    with pytest.raises(SystemExit):
        cut_short()
    assert not folder.exists()
    with atomic_folder(folder) as unfinished:
        (unfinished / "whole").touch()
    assert [path.name for path in folder.iterdir()] == ["whole"]
