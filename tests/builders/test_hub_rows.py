"""A dataset as `datasets` streams it: from a folder in place of the hub, and without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import datasets
import pytest
from small_tables import jsonl

from engine.builders import Funnel
from engine.builders.hub_rows import Hub
from engine.builders.rows import LONGEST
from engine.errors import UserError
from engine.plugins import BUILDERS


def made(hub, **settings):
    builder, funnel = BUILDERS.from_value({"name": "texts", "hub": str(hub), **settings}), Funnel()
    builder.check()
    return list(builder.stream(0, funnel)), funnel


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of a dataset as the hub has them, with its card."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "pairs"
    folder.mkdir()
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: one\n  data_files:\n  - split: train\n    path: a.jsonl\n"
        "  - split: test\n    path: b.jsonl\n- config_name: two\n  data_files: b.jsonl\n---\n"
    )
    jsonl(folder / "a.jsonl", [{"input": f"in {n}", "output": f"out {n}", "n": n} for n in range(9)])
    jsonl(folder / "b.jsonl", [{"input": "x", "output": "y", "n": 1}])
    return folder


def test_the_chosen_split_is_streamed_with_its_columns(copy):
    found, funnel = made(copy, subset="one")
    assert [(each.bug_id, each.prompt) for each in found][::8] == [("pairs:1", "in 0"), ("pairs:9", "in 8")]
    assert funnel.source == 9
    assert [each.prompt for each in made(copy, subset="one", split="test")[0]] == ["x"]
    assert [each.prompt for each in made(copy, subset="two")[0]] == ["x"]
    assert sorted(Hub.of(str(copy), "one", "").columns()) == ["input", "n", "output"]


def test_what_it_does_not_have_is_one_sentence(copy):
    for settings in ({"subset": "three"}, {"subset": "one", "split": "dev"}, {}):
        with pytest.raises(UserError, match="cannot be read from the Hugging Face hub .*; check the id, the split"):
            made(copy, **settings)
    with pytest.raises(UserError, match="has no column 'z'; its columns are: "):
        made(copy, subset="one", input="z")


def test_a_broken_file_is_one_sentence_with_the_row(copy):
    (copy / "a.jsonl").write_text('{"input": "x", "output": "y"}\n' * 3 + "broken\n")
    with pytest.raises(UserError, match="is broken after row 0|is broken after row 3|cannot be read"):
        made(copy, subset="one")


def test_a_huge_row_is_counted(copy):
    jsonl(copy / "b.jsonl", [{"input": "x" * LONGEST, "output": "y"}, {"input": "x", "output": "y"}])
    found, funnel = made(copy, subset="two")
    assert (len(found), funnel.lost, funnel.examples) == (
        1,
        {"rows longer than 4 MiB": 1},
        {"rows longer than 4 MiB": "row 1"},
    )


@pytest.mark.parametrize("name", ["json", "../x", "a/b/c", "a b/c", "https://huggingface.co/datasets/a/b", "-a/b"])
def test_what_can_be_no_id_is_refused_before_a_run(name):
    with pytest.raises(UserError, match="is no id of a dataset; give one such as owner/name") as error:
        BUILDERS.from_value({"name": "texts", "hub": name}).check()
    assert error.value.field == "builder.hub"
    with pytest.raises(UserError, match="there is no folder '/nowhere'"):
        BUILDERS.from_value({"name": "texts", "hub": "/nowhere"}).check()


def test_a_form_does_not_ask_the_hub():
    builder = BUILDERS.from_value({"name": "conversations", "hub": "owner/name"})
    builder.check()
    assert builder.choices() == {}
    assert "is read by the run" in builder.preview(3).note
    assert builder.total() is None


def test_without_a_network_it_says_so():
    code = (
        "from engine.builders import Funnel\nfrom engine.errors import UserError\nfrom engine.plugins import BUILDERS\n"
        "try: list(BUILDERS.from_value({'name': 'texts', 'hub': 'owner/name'}).stream(0, Funnel()))\n"
        "except UserError as error: print(error)\n"
    )
    words = [sys.executable, "-c", code]
    said = subprocess.run(words, env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, check=True)
    assert said.stdout.startswith("hub: 'owner/name' cannot be read from the Hugging Face hub (")
    assert "the network and HF_TOKEN, or download it and name its folder as the file" in said.stdout


def test_no_code_of_a_dataset_is_run(copy, tmp_path):
    (copy / "pairs.py").write_text(f"open({json.dumps(str(tmp_path / 'ran'))}, 'w')\n")
    with pytest.raises(UserError, match="scripts are no longer supported"):
        made(copy, subset="one")
    assert not (tmp_path / "ran").exists()
