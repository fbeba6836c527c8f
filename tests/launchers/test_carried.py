"""What a run refers to: found, known by its content, and called as it is elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.errors import OutsideFailure, UserError
from engine.launchers.carried import digest, items_of, with_paths


@pytest.fixture
def run_dir(tmp_path):
    folder = tmp_path / "home" / "runs" / "7"
    folder.mkdir(parents=True)
    return folder


def folder_of(path: Path, **files: str) -> Path:
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def test_paths_are_found_wherever_they_stand(run_dir, tmp_path):
    model, bugs, data, runs = (folder_of(tmp_path / "my" / name, file=name) for name in ("model", "bugs", "data", "3"))
    file = tmp_path / "my" / "ids.txt"
    file.write_text("one")
    spec = {
        "kind": "dataset", "name": "/nowhere", "seed": 1, "expected": str(file), "exclude": ["pocket", {"name": "folder", "folder": str(bugs)}],
        "builder": {"name": "mixer", "datasets": [f"{data}=0.5", "demo"], "runs": [str(runs)]},
        "trainer": {"panel": json.dumps({"name": "folder", "folder": str(bugs)}), "prompt": "{not json"},
    }  # fmt: skip
    named = {"model": {"name": "mine", "path": str(model), "base": "owner/name"}, "dataset": ""}
    items = items_of([spec, named], run_dir, [str(model)])
    assert {item.path: item.follows for item in items} == {
        **dict.fromkeys(map(str, (bugs, data, runs, file)), False), str(model): True,
    }  # fmt: skip
    there = {item.path: f"/far/{item.parts[0]}" for item in items}
    assert with_paths(spec, there) == {
        **spec, "expected": "/far/ids.txt", "exclude": ["pocket", {"name": "folder", "folder": "/far/bugs"}],
        "builder": {"name": "mixer", "datasets": ["/far/data=0.5", "demo"], "runs": ["/far/3"]},
        "trainer": {"panel": '{"name": "folder", "folder": "/far/bugs"}', "prompt": "{not json"},
    }  # fmt: skip
    assert with_paths(named, there)["model"] == {"name": "mine", "path": "/far/model", "base": "owner/name"}


def test_what_a_run_made_goes_with_what_says_how(run_dir):
    made = folder_of(run_dir.parent / "3" / "artifacts" / "model", weights="w").parents[1]
    (made / "spec.json").write_text("{}")
    [model] = items_of(str(made / "artifacts" / "model"), run_dir, [])
    [dataset] = items_of(str(made / "artifacts"), run_dir, [])
    assert (model.root, model.parts) == (made, ("artifacts/model", "spec.json"))
    assert (dataset.root, dataset.parts) == (made, ("artifacts", "spec.json"))


@pytest.mark.parametrize("text", ["/", str(Path.home()), str(Path.home().parent)])
def test_nobody_carries_a_whole_machine(run_dir, text):
    with pytest.raises(UserError, match="too much to be carried"):
        items_of({"folder": text}, run_dir, [])


def test_nor_the_studios_own_home(run_dir, tmp_path):
    with pytest.raises(UserError, match="too much to be carried"):
        items_of({"folder": str(tmp_path / "home")}, run_dir, [])


def test_a_content_is_all_bytes_and_all_names(tmp_path):
    first = folder_of(tmp_path / "1" / "data", a="one", b="two")
    again = folder_of(tmp_path / "2" / "data", b="two", a="one")
    assert digest(first.parent, ["data"]) == digest(again.parent, ["data"])
    seen = {digest(first.parent, ["data"])}
    for change in (
        lambda: (again / "a").write_text("onE"),
        lambda: (again / "a").rename(again / "c"),
        lambda: (again / "deep").mkdir(),  # an empty folder is nothing to carry
        lambda: (again / "deep" / "d").write_text(""),
        lambda: again.rename(again.with_name("other")),
    ):
        change()
        name = "data" if again.is_dir() else "other"
        seen.add(digest(again.parent, [name]))
    assert len(seen) == 5


def test_links_stay_links_but_in_a_model(tmp_path):
    blobs = folder_of(tmp_path / "blobs", a="weights")
    model = folder_of(tmp_path / "snapshots" / "1", config="{}")
    (model / "weights").symlink_to(blobs / "a")
    same = folder_of(tmp_path / "other" / "1", config="{}", weights="weights")
    assert digest(model.parent, ["1"], follows=True) == digest(same.parent, ["1"])
    as_link = digest(model.parent, ["1"])
    (blobs / "a").write_text("changed")
    assert digest(model.parent, ["1"]) == as_link
    assert digest(model.parent, ["1"], follows=True) != digest(same.parent, ["1"])


def test_a_link_that_leads_nowhere_cannot_be_followed(tmp_path):
    model = folder_of(tmp_path / "model", config="{}")
    os.symlink("/nowhere", model / "weights")
    with pytest.raises(OutsideFailure, match="weights cannot be read, so it cannot be carried"):
        digest(tmp_path, ["model"], follows=True)
