"""A run's folder records its inputs, and a run is resumed only with the same ones."""

from __future__ import annotations

import shutil

import pytest

from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.domain import Model
from engine.errors import UserError
from engine.fingerprint import weights_hash
from engine.rundir import Inputs, RunDir
from engine.work.inputs import record_inputs


@pytest.fixture
def adapter(tmp_path):
    copy = tmp_path / "adapter"
    shutil.copytree(STARTER_ADAPTER, copy)
    return Model("mine", "adapter", str(copy), str(STARTER_MODEL))


@pytest.fixture
def run(tmp_path, adapter):
    return RunDir.create(tmp_path / "run", {"kind": "benchmark"}, Inputs(model=adapter))


def test_hashes_versions_and_machine_are_in_the_folder(run):
    record_inputs(run.inputs(), run, "benchmark")
    found = run.inputs()
    assert found.weights_hash == weights_hash(STARTER_ADAPTER)
    assert found.base_hash == weights_hash(STARTER_MODEL)
    assert found.code_version.startswith("0.")
    assert {"python", "torch", "transformers", "peft"} <= found.versions.keys()
    assert found.machine["cores"] >= 1


def test_a_run_does_not_go_on_with_other_weights(run, adapter):
    record_inputs(run.inputs(), run, "benchmark")
    record_inputs(run.inputs(), run, "benchmark")  # the same again is fine
    weights = STARTER_ADAPTER / "adapter_model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    (run.path.parent / "adapter" / "adapter_model.safetensors").write_bytes(changed)
    with pytest.raises(UserError, match="the weights of its model have changed since this run began"):
        record_inputs(run.inputs(), run, "benchmark")


def test_the_first_start_stays_on_record_and_a_later_one_says_what_was_another(run, monkeypatch):
    record_inputs(run.inputs(), run, "benchmark")
    first = run.inputs()
    record_inputs(first, run, "benchmark")
    monkeypatch.setattr("engine.work.inputs.code_version", lambda: "9.9")
    again = record_inputs(run.inputs(), run, "benchmark")
    assert (again.code_version, again.versions, again.machine) == (first.code_version, first.versions, first.machine)
    same, other = run.inputs().later_starts
    assert (same.keys(), other.keys(), other["code_version"]) == ({"time"}, {"time", "code_version"}, "9.9")
    assert same["time"] <= other["time"]


def test_the_rows_of_a_folder_are_hashed_and_compared(tmp_path):
    from tiny_models import write_dataset

    folder = write_dataset(tmp_path / "set")
    run = RunDir.create(tmp_path / "run", {"kind": "train"}, Inputs(dataset=str(folder)))
    first = record_inputs(run.inputs(), run, "train").dataset_hash
    assert len(first) == 64
    shutil.rmtree(folder)
    write_dataset(folder, rows=23)
    with pytest.raises(UserError, match="the rows of its dataset have changed"):
        record_inputs(run.inputs(), run, "train")
