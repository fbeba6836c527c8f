"""A run repeated from its folder: every input that has changed is named."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from engine.assets import STARTER_ADAPTER
from engine.fingerprint import code_version, library_versions, machine_facts, weights_hash
from engine.shell.cli import app
from engine.spec_files import read_spec


@pytest.fixture
def repeated(workspace, started):
    """A benchmark run that was started with the program, libraries and machine of today, but for what is given.

    Returns what is said to differ when it is asked for again.
    """

    def differences(**then):
        _, folder = started("benchmark")
        facts = {"code_version": code_version().partition(".dirty")[0], "versions": library_versions()}
        folder.write_inputs(replace(folder.inputs(), **{**facts, "machine": machine_facts(), **then}))
        source = str(folder.path / "spec.json")
        return [said.replace(str(folder.path), "IT") for said in
                workspace.runs.differences(read_spec("benchmark", source), source)]  # fmt: skip

    return differences


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Nothing in this checkout is changed, whatever its developer is doing."""
    version = code_version().partition(".dirty")[0]
    monkeypatch.setattr("engine.control.repeat.code_version", lambda: version)
    return version


def test_an_unchanged_run_has_no_differences(repeated):
    assert repeated() == []


def test_another_program_is_named(repeated, clean):
    assert repeated(code_version="0.0.1") == [
        f"the program has another version than for the run in IT (0.0.1 then, {clean} now)"
    ]


@pytest.mark.parametrize("unknown", ["0.1.0+g17c7609a93fe.dirty", "0.1.0+g17c7609a93fe.unchecked"])
def test_a_program_with_uncommitted_changes_is_always_a_difference(repeated, monkeypatch, unknown):
    monkeypatch.setattr("engine.control.repeat.code_version", lambda: unknown)
    (said,) = repeated(code_version=unknown)
    assert said.startswith("the program may differ from the one for the run in IT")
    assert unknown in said


def test_other_libraries_are_named_one_by_one(repeated):
    versions = library_versions()
    (said,) = repeated(versions={**versions, "torch": "1.0", "gone": "2.0"})
    assert said == (
        "the libraries differ from those for the run in IT "
        f"(gone 2.0 then, missing now; torch 1.0 then, {versions['torch']} now)"
    )


def test_another_machine_is_described_by_what_differs(repeated):
    facts = machine_facts()
    (said,) = repeated(machine={**facts, "cores": 999, "gpus": ["H200", "H200"], "memory_bytes": 7 << 30})
    gpus = ", ".join(facts["gpus"]) or "none"
    assert said == (
        f"the machine differs from the one for the run in IT (cores 999 then, {facts['cores']} now; gpus H200, H200 then, {gpus} "
        f"now; memory 7 GiB then, {facts['memory_bytes'] >> 30} GiB now)"
    )


def test_a_kernel_that_takes_a_little_more_memory_makes_no_other_machine(repeated):
    facts = machine_facts()
    assert repeated(machine={**facts, "memory_bytes": facts["memory_bytes"] ^ 4096}) == []


def test_a_run_that_never_started_has_nothing_to_compare(repeated):
    assert repeated(code_version="", versions={}, machine={}) == []


def test_the_shell_names_what_differs(started, home):
    _, folder = started("benchmark")
    folder.write_inputs(replace(folder.inputs(), code_version="0.0.1"))
    done = CliRunner().invoke(app, ["benchmark", str(folder.path / "spec.json"), "--home", str(home)])
    assert done.exit_code == 0, done.output
    assert "repair-studio: note: the program has another version than for the run in" in done.stderr


def test_changed_inputs_of_a_repeated_run_are_named(workspace, started, tmp_path):
    shutil.copytree(STARTER_ADAPTER, tmp_path / "mine")
    _, folder = started("benchmark", f"model={tmp_path / 'mine'}")
    source = str(folder.path / "spec.json")
    spec = read_spec("benchmark", source)
    folder.write_inputs(replace(folder.inputs(), weights_hash=weights_hash(STARTER_ADAPTER)))
    assert workspace.runs.differences(spec, source) == []
    weights = tmp_path / "mine" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    (difference,) = workspace.runs.differences(spec, source)
    assert difference.startswith("the model has other weights than in the run in")
    assert workspace.runs.differences(spec, "demo") == []
