"""Fingerprints are equal for the same inputs, and differ for others."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from engine import fingerprint
from engine.assets import STARTER_ADAPTER, STARTER_MODEL
from engine.errors import UserError
from engine.fingerprint import code_version, dataset_hash, library_versions, machine_facts, weights_hash
from engine.models.tensors import tensors

WEIGHTS = "adapter_model.safetensors"
COMMIT = "17c7609a93fe0b2c5f6f1d3f7f0a3a6f3f3b1c2d"


@pytest.fixture
def adapter(tmp_path):
    return shutil.copytree(STARTER_ADAPTER, tmp_path / "adapter")


@pytest.fixture
def sampled(monkeypatch):
    """Every file of weights counts as a large one."""
    monkeypatch.setattr(fingerprint, "WHOLE_BYTES", 0)


def write(folder, place, content):
    with (folder / WEIGHTS).open("r+b") as file:
        file.seek(place)
        file.write(content)


def test_a_copy_in_another_folder_has_the_same_hash(adapter):
    assert weights_hash(adapter) == weights_hash(STARTER_ADAPTER) != weights_hash(STARTER_MODEL)
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": "/elsewhere"}))
    (adapter / "README.md").write_text("other words")
    assert weights_hash(adapter) == weights_hash(STARTER_ADAPTER)
    (adapter / "adapter_config.json").write_text(json.dumps(config | {"lora_alpha": 1}))
    assert weights_hash(adapter) != weights_hash(STARTER_ADAPTER)


def test_one_changed_byte_of_a_small_file_shows(adapter):
    for name, tensor in list(tensors(adapter / WEIGHTS).items())[:3]:
        before = weights_hash(adapter)
        write(adapter, (tensor.start + tensor.end) // 2, b"\x55")
        assert weights_hash(adapter) != before, name


def test_of_a_large_file_every_tensor_counts_and_so_do_its_name_and_end(adapter, sampled):
    for name, tensor in tensors(adapter / WEIGHTS).items():
        before = weights_hash(adapter)
        write(adapter, tensor.start, bytes(range(256)) * ((tensor.end - tensor.start) // 256))
        assert weights_hash(adapter) != before, name
    before = weights_hash(adapter)
    (adapter / WEIGHTS).rename(adapter / "other.safetensors")
    assert weights_hash(adapter) != before


def test_what_stands_between_the_samples_of_a_large_file_is_not_seen(adapter, sampled, monkeypatch):
    tensor = max(tensors(adapter / WEIGHTS).values(), key=lambda each: each.end - each.start)
    before = weights_hash(adapter)
    write(adapter, tensor.start + fingerprint.SAMPLE_BYTES, b"\x55\x55\x55\x55")
    assert weights_hash(adapter) == before
    monkeypatch.undo()
    assert weights_hash(adapter) != weights_hash(STARTER_ADAPTER)


def test_missing_or_truncated_weights_are_a_user_error(adapter, tmp_path):
    with pytest.raises(UserError, match="contains no weights"):
        weights_hash(tmp_path)
    with (adapter / WEIGHTS).open("r+b") as file:
        file.truncate(1_000_000)
    with pytest.raises(UserError, match="is not a whole safetensors file: its tensors do not lie within"):
        weights_hash(adapter)


def test_a_folder_that_is_not_a_dataset_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match=r"train\.parquet is not a training set of Repair Studio"):
        dataset_hash(tmp_path)
    (tmp_path / "train.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match=r"train\.parquet is not a training set of Repair Studio"):
        dataset_hash(tmp_path)


def test_a_training_set_made_elsewhere_has_a_hash_too(tmp_path):
    import pyarrow
    from pyarrow import parquet

    def of(*rows, **types):
        table = pyarrow.table({"input_ids": pyarrow.array(rows, pyarrow.list_(types.get("ids", pyarrow.int32())))})
        parquet.write_table(table, tmp_path / "train.parquet")
        return dataset_hash(tmp_path)

    assert of([1, 2], [3]) == of([1, 2], [3], ids=pyarrow.int64()) != of([1], [2, 3])


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "CODE", tmp_path)
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_without_git_the_commit_is_read_from_its_files(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "")
    git, version = checkout / ".git", "0.1.0+g17c7609a93fe.unchecked"
    (git / "HEAD").write_text(COMMIT + "\n")
    assert code_version() == version
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs with: peeled\n{COMMIT} refs/heads/main\n{'0' * 40} refs/heads/x\n")
    assert code_version() == version
    (git / "packed-refs").unlink()
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "refs" / "heads" / "main").write_text(COMMIT + "\n")
    assert code_version() == version
    worktree = git / "worktrees" / "w"
    worktree.mkdir(parents=True)
    (worktree / "HEAD").write_text("ref: refs/heads/main\n")
    (worktree / "commondir").write_text("../..\n")
    monkeypatch.setattr(fingerprint, "CODE", checkout / "w")
    (checkout / "w").mkdir()
    (checkout / "w" / ".git").write_text(f"gitdir: {worktree}\n")
    assert code_version() == version


def test_what_is_no_checkout_has_the_packages_version(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "CODE", tmp_path)
    assert code_version() == "0.1.0"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_changes_of_the_program_show_and_others_do_not(tmp_path, monkeypatch):
    def git(*words):
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, capture_output=True)

    for folder in ("engine", "storage", "studio", "assets"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("1")
    (tmp_path / "pyproject.toml").touch()
    git("init")
    git("add", ".")
    git("commit", "-m", "a")
    monkeypatch.setattr(fingerprint, "CODE", tmp_path)
    clean = code_version()
    assert clean.startswith("0.1.0+g")
    assert "." not in clean.partition("+")[2]
    (tmp_path / "notes.txt").touch()
    assert code_version() == clean
    (tmp_path / "engine" / "new.py").touch()
    assert code_version() == f"{clean}.dirty"
    (tmp_path / "engine" / "new.py").unlink()
    (tmp_path / "engine" / "a.py").write_text("2")
    assert code_version() == f"{clean}.dirty"


def test_versions_and_facts():
    versions, facts = library_versions(), machine_facts()
    assert versions["torch"].startswith("2.13.0")
    assert set(fingerprint.PACKAGES) < set(versions)
    assert facts["cores"] >= 1
    assert facts["memory_bytes"] > 1 << 30
    assert facts["cpu"]
    assert bool(facts["gpus"]) == bool(facts["gpu_driver"])
    assert json.loads(json.dumps(facts)) == facts


def test_a_package_that_is_not_installed_is_missing(monkeypatch):
    monkeypatch.setattr(fingerprint, "PACKAGES", ("no-such-package",))
    assert library_versions()["no-such-package"] == "missing"


def test_nothing_heavy_is_loaded():
    code = (
        "import sys\n"
        "from engine.assets import STARTER_MODEL\n"
        "from engine.fingerprint import *\n"
        "weights_hash(STARTER_MODEL), code_version(), library_versions(), machine_facts()\n"
        "assert not {'torch', 'pyarrow', 'safetensors', 'transformers'} & set(sys.modules)\n"
        "assert not [name for name in sys.modules if name.startswith(('engine.control', 'engine.work', 'storage'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
