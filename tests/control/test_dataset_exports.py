"""A dataset as files for other programs, its card, the runs that use it, and its removal."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from threading import Event

import pyarrow.parquet as pq
import pytest

from engine.control import dataset_exports
from engine.control.exports import GivenUp
from engine.control.workspace import Workspace
from engine.errors import UserError
from engine.exchange.sides import Exportable
from engine.rundir import Inputs, RunDir
from engine.specs import DatasetSpec, TrainSpec
from engine.training_set import Row, Shard

sys.path.append(str(Path(__file__).resolve().parents[1] / "studio"))
from filled import NAMES, fill


@pytest.fixture
def used(tmp_path):
    """A workspace whose dataset has the columns of the first version."""
    fill(tmp_path)
    opened = Workspace(tmp_path)
    yield opened
    opened.close()


def test_json_lines_have_a_row_for_each_sample(used):
    path = used.datasets.export("stdlib-faults", "jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(rows) == 2 * len(NAMES)
    assert [row["split"] for row in rows] == ["train"] * len(NAMES) + ["validation"] * len(NAMES)
    first = used.datasets.sample("stdlib-faults", 0)
    shown = (first.bug_id, first.prompt, first.target, first.buggy, first.fixed)
    assert tuple(rows[0][name] for name in ("id", "prompt", "target", "buggy", "fixed")) == shown
    assert (rows[0]["project"], rows[0]["date"], "chosen" in rows[0]) == ("", "", False)


def test_parquet_and_the_folder_for_hugging_face_have_the_same_rows(used, tmp_path):
    whole = pq.read_table(used.datasets.export("stdlib-faults", "parquet")).to_pylist()
    lines = used.datasets.export("stdlib-faults", "jsonl").read_text().splitlines()
    assert whole == [json.loads(line) for line in lines]
    for _ in range(2):  # also over an older one
        folder = used.datasets.export("stdlib-faults", "hf")
    parts = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    names = ["README.md", "data/train-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet"]
    assert parts == names
    assert pq.read_table(folder / names[1]).to_pylist() == whole[: len(NAMES)]
    sent = used.datasets.download("stdlib-faults", "hf", Event())
    with zipfile.ZipFile(sent) as archive:
        assert sorted(archive.namelist()) == names
        assert archive.read(names[2]) == (folder / names[2]).read_bytes()


def test_the_card_says_what_was_left_out_and_escapes_what_a_source_named(tmp_path):
    fill(tmp_path, hostile=True)
    workspace = Workspace(tmp_path)
    text = workspace.datasets.export("stdlib-faults", "card").read_text()
    assert "longer than 1024 tokens | 311 | argparse.py:1710" in text
    assert "3,214 read." in text
    assert "<script>" not in text
    assert '"kind": "dataset"' in text
    workspace.close()


def test_preferences_have_both_answers(tmp_path):
    for side in ("train", "valid"):
        shard = Shard(tmp_path / f"{side}.parquet")
        if side == "train":
            row = Row("a", "", "", "python", "fix:", "good", [1, 2], 1, 2, learned=[1, 2], rejected="bad", cwe="CWE-1")
            shard.add(row)
        shard.close()
    (tmp_path / "report.json").write_text('{"holds": "preferences"}')
    dataset = Exportable("p", tmp_path, "card", {}, dataset_exports.stops(None))
    path = dataset_exports.export(dataset, tmp_path / "out", "jsonl")
    (row,) = map(json.loads, path.read_text().splitlines())
    assert (row["prompt"], row["chosen"], row["rejected"], row["cwe"]) == ("fix:", "good", "bad", "CWE-1")
    assert "target" not in row
    folder = dataset_exports.export(dataset, tmp_path / "out", "hf")
    assert not (folder / "data" / "validation-00000-of-00001.parquet").exists(), "no file without rows"


def test_a_download_that_nobody_waits_for_ends_and_leaves_nothing(used, tmp_path):
    given_up = Event()
    given_up.set()
    for form in ("jsonl", "parquet", "hf"):
        with pytest.raises(GivenUp):
            used.datasets.download("stdlib-faults", form, given_up)
    assert not list((tmp_path / "exports" / "downloads").iterdir())


def test_another_form_or_name_or_lost_files_are_said(used):
    with pytest.raises(UserError, match="one of jsonl, parquet, hf, openai, .*card, report"):
        used.datasets.export("stdlib-faults", "csv")
    with pytest.raises(UserError, match="no dataset 'other'"):
        used.datasets.export("other", "jsonl")
    (Path(used.datasets.get("stdlib-faults").folder) / "train.parquet").unlink()
    with pytest.raises(UserError, match="no longer in"):
        used.datasets.export("stdlib-faults", "jsonl")


def test_a_dataset_in_use_is_not_deleted_and_its_uses_are_named(used):
    uses = used.datasets.used_by("stdlib-faults")
    assert [run.name for run in uses] == ["repair-qlora", "too-large", "repair-lora"]
    with pytest.raises(UserError, match=r"is used by run \d+ \(repair-qlora\), which has not ended"):
        used.datasets.delete("stdlib-faults")
    folder = Path(used.datasets.get("stdlib-faults").folder)
    used.runs.stop(uses[0].id, now=True)
    with used._database.write() as session:
        from storage.tables import Run

        session.get_one(Run, uses[0].id).state = "stopped"
    used.datasets.delete("stdlib-faults")
    assert used.datasets.names() == []
    assert not folder.exists()
    assert used.runs.get(uses[0].id).name == "repair-qlora", "the runs stay"
    with pytest.raises(UserError, match="no dataset 'stdlib-faults'"):
        used.runs.submit(TrainSpec(dataset="stdlib-faults"))


def test_a_dataset_that_is_called_like_another_setting_of_a_builder_is_not_in_use(used):
    from storage.tables import Dataset, Run

    used.runs.submit(DatasetSpec.model_validate({"builder": {"name": "faults"}}))
    gone = used.runs.submit(DatasetSpec.model_validate({"builder": {"name": "faults"}}))
    with used._database.write() as session:
        for name in ("faults", "mine"):
            session.add(
                Dataset(name=name, run_id=1, folder=f"/{name}", train_rows=1, valid_rows=0, hash="", created_at=0)
            )
        run = session.get_one(Run, gone)
        run.spec = {**run.spec, "builder": {"name": "uninstalled", "from": ["mine=2"]}}
    assert used.datasets.used_by("faults") == []
    assert [run.id for run in used.datasets.used_by("mine")] == [gone]
    used.datasets.delete("faults")
    with pytest.raises(UserError, match=f"is used by run {gone}"):
        used.datasets.delete("mine")


def test_a_folder_that_is_not_in_this_home_is_only_forgotten(used, tmp_path_factory):
    from storage.tables import Dataset

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "train.parquet").touch()
    with used._database.write() as session:
        session.add(
            Dataset(name="far", run_id=1, folder=str(elsewhere), train_rows=1, valid_rows=0, hash="", created_at=0)
        )
    used.datasets.delete("far")
    assert "far" not in used.datasets.names()
    assert (elsewhere / "train.parquet").exists()


def test_the_datasets_of_a_mix_are_named_by_name_and_stored_as_folders(used):
    spec = DatasetSpec.model_validate({"builder": {"name": "mixer", "datasets": ["stdlib-faults=0.5"]}})
    run = used.runs.row(used.runs.submit(spec))
    folder = used.datasets.get("stdlib-faults").folder
    assert run.spec["builder"]["datasets"] == [f"{Path(folder).resolve()}=0.5"]
    assert run.id in [each.id for each in used.datasets.used_by("stdlib-faults")]
    with pytest.raises(UserError, match="no dataset 'other'"):
        used.runs.submit(DatasetSpec.model_validate({"builder": {"name": "mixer", "datasets": ["other"]}}))


def test_runs_are_named_by_number_and_stored_as_folders(used):
    def submitted(*runs):
        spec = DatasetSpec.model_validate({"builder": {"name": "verdicts", "runs": runs}})
        return used.runs.row(used.runs.submit(spec)).spec["builder"]["runs"]

    run = next(each for each in used.runs.list() if each.kind == "benchmark")
    RunDir.create(Path(run.folder), {"kind": "benchmark", "benchmark": "pocket"}, Inputs())
    for name in (f"{run.id}", f"{run.id}: {run.name}", run.folder):
        assert submitted(name) == [run.folder]
    for name, said in (("99", "no run 99"), ("demo", "runs: there is no run 'demo'")):
        with pytest.raises(UserError, match=said):
            submitted(name)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"expected": "/nowhere/ids.txt"}, "expected: there is no file /nowhere/ids.txt"),
        ({"split": "first"}, "valid_rows: is empty"),
        ({"compare": ["humaneval"]}, "compare: humaneval: .*with its settings"),
    ],
)
def test_what_is_wrong_with_a_dataset_is_said_before_it_is_queued(used, settings, said):
    with pytest.raises(UserError, match=said):
        used.runs.submit(DatasetSpec.model_validate(settings))
