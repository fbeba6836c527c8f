"""Datasets by name, and their samples exactly as training will see them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.specs import TrainSpec

sys.path.append(str(Path(__file__).resolve().parents[1] / "studio"))
from filled import NAMES, fill


@pytest.fixture(scope="module")
def home_in_use(tmp_path_factory):
    folder = tmp_path_factory.mktemp("used")
    fill(folder)
    return folder


@pytest.fixture
def used(home_in_use):
    opened = Workspace(home_in_use)
    yield opened
    opened.close()


def test_the_pieces_of_a_sample_are_its_prompt_and_then_its_target(used):
    sample = used.datasets.sample("stdlib-faults", 0)
    context = "".join(text for text, is_learned in sample.pieces if not is_learned)
    learned = "".join(text for text, is_learned in sample.pieces if is_learned)
    assert (context, learned) == (sample.prompt, sample.target)
    assert sample.n_tokens == len(sample.pieces)


def test_going_on_from_the_last_sample_comes_to_the_first(used):
    first = used.datasets.sample("stdlib-faults", 0)
    last = used.datasets.sample("stdlib-faults", -1)
    assert (last.index, last.total) == (len(NAMES) - 1, len(NAMES))
    assert used.datasets.sample("stdlib-faults", last.index + 1) == first


def test_a_search_finds_ids_kinds_and_code_and_may_find_nothing(used):
    def total(text):
        found = used.datasets.sample("stdlib-faults", 0, text)
        return found.total if found else 0

    assert total("lru_cache.py") == 1
    assert total("MISSING_GUARD") == len([n for n in range(len(NAMES)) if n % 6 == 3])
    assert total("a, b = b") == len(NAMES)
    assert total("nowhere") == 0


def test_a_dataset_can_be_named_by_its_folder(used):
    folder = used.datasets.get("stdlib-faults").folder
    assert used.datasets.resolve(folder) == (folder, "")


def test_an_unknown_dataset_lists_the_known_ones(used):
    with pytest.raises(UserError, match="no dataset 'x'; known: stdlib-faults"):
        used.datasets.get("x")


def test_training_is_reckoned_with_the_longest_sample(used):
    needed = used.preflight(TrainSpec(dataset="stdlib-faults"))
    assert needed.sample_tokens == 1024
    assert needed.estimate.total > 0
    assert used.preflight(TrainSpec(dataset="nothing")).sample_tokens == 1024, "a modest guess, while none is chosen"
    with pytest.raises(UserError, match="not on this machine yet"):
        used.preflight(TrainSpec(model="codellama/CodeLlama-7b-hf"))


def test_a_dataset_without_its_files_is_a_user_error(used, tmp_path):
    row = used.datasets.get("stdlib-faults")
    moved = shutil.move(row.folder, tmp_path / "moved")
    with pytest.raises(UserError, match="the files of 'stdlib-faults' are no longer"):
        used.datasets.resolve("stdlib-faults")
    shutil.move(moved, row.folder)


def test_a_dataset_that_was_built_again_in_its_folder_is_read_anew(tmp_path):
    fill(tmp_path)
    workspace = Workspace(tmp_path)
    assert workspace.datasets.sample("stdlib-faults", search="gcd") is not None
    file = Path(workspace.datasets.get("stdlib-faults").folder) / "train.parquet"
    rows = pq.read_table(file).to_pylist()
    again = file.with_suffix(".new")
    pq.write_table(pa.Table.from_pylist([{**row, "bug_id": "new", "prompt": "p", "language": "java"} for row in rows[:3]]),
                   again)  # fmt: skip
    again.rename(file)
    sample = workspace.datasets.sample("stdlib-faults")
    assert (sample.bug_id, sample.total, sample.language) == ("new", 3, "java")
    assert workspace.datasets.sample("stdlib-faults", search="gcd.py") is None
    workspace.close()
