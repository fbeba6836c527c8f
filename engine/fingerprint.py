"""Fingerprints of what a run depends on: hashes of weights and data, versions of code and libraries, the machine."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
from array import array
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from engine.errors import UserError
from engine.gpus import driver, gpus
from engine.models.tensors import tensors

# Every package whose version can change a result or a page
PACKAGES = (
    "torch", "transformers", "peft", "trl", "accelerate", "bitsandbytes", "tokenizers", "datasets", "pyarrow", "numpy",
    "tree-sitter", "rensa", "gradio", "sqlmodel", "plotly", "wandb",
)  # fmt: skip
WHOLE_BYTES = 64 << 20  # files of weights up to this size are hashed completely
SAMPLE_BYTES = 4096  # of a larger one's tensors, at SAMPLES places each
SAMPLES = 4
CODE = Path(__file__).resolve().parents[1]
PARTS = ("engine", "storage", "studio", "assets", "pyproject.toml")  # of CODE, on which a run's result can depend
GIT_S = 5.0  # how long git is waited for


def weights_hash(folder: Path) -> str:
    """SHA-256 of a model's or an adapter's folder, in hex, without reading all of large files.

    Covers config.json and adapter_config.json (without the base model's path, which differs between machines), and of
    every *.safetensors its name, size and bytes: all bytes of files up to 64 MiB; of larger ones the header (names,
    types and shapes of the tensors) and four pieces of 4 KiB of each tensor, from its start to its end. So training,
    merging, converting, truncating and replacing weights all change the hash, but a deliberate change of single
    numbers in a large file may not: it is not a signature. Tokenizers are not covered.
    Raises UserError if the folder contains no weights, or one of their files is broken.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise UserError(f"{folder} contains no weights (*.safetensors)")
    digest = hashlib.sha256()
    for name in ("config.json", "adapter_config.json"):
        if (folder / name).is_file():
            _add(digest, name, (_config(folder / name),))
    for file in files:
        _add(digest, f"{file.name} {file.stat().st_size}", _pieces(file))
    return digest.hexdigest()


def dataset_hash(folder: Path) -> str:
    """The hash that `engine.training_set` gave the rows of a training set, computed again from its two files.

    Covers id and tokens of each row in order, which is all that training sees except the masks, which follow from them.
    Raises UserError if the folder contains no such files.
    """
    return hash_of_sides(_side(folder / "train.parquet"), _side(folder / "valid.parquet", may_be_missing=True))


def row_bytes(bug_id: str, tokens: Iterable[int], learned: Sequence[int], rejected: Sequence[int]) -> bytes:
    """What one row adds to the digest of its side: its id, and its tokens in 32 bits each.

    A single learned range, as in every row of the first version, follows from the tokens and is left out; several
    ranges, and a rejected answer, are included.
    """
    more = array("i", [*(learned if len(learned) > 2 else ()), *rejected]).tobytes()
    return bug_id.encode() + b"\0" + array("i", tokens).tobytes() + more


def hash_of_sides(train: bytes, valid: bytes) -> str:
    """A training set's hash, in hex, from the SHA-256 digests of its two sides."""
    return hashlib.sha256(train + valid).hexdigest()


def code_version() -> str:
    """The package's version; in a checkout, with its commit and whether files were changed.

    "0.1.0", "0.1.0+g17c7609a93fe", "0.1.0+g17c7609a93fe.dirty", or ".unchecked" if git is not installed to tell whether
    files differ from the commit. It describes the files as they are now: a process keeps the code that it has loaded,
    so a long-lived one should call this once, at its start.
    """
    commit = _commit(CODE / ".git")
    return f"{_version('repair-studio')}+g{commit[:12]}{_changes()}" if commit else _version("repair-studio")


def library_versions() -> dict[str, str]:
    """Of Python and of PACKAGES; "missing" for one that is not installed."""
    return {"python": platform.python_version(), **{package: _version(package) for package in PACKAGES}}


def machine_facts() -> dict[str, Any]:
    """platform, cpu (model), cores that may be used, memory_bytes, gpus (names), gpu_driver (empty without one)."""
    return {
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "gpus": [gpu.name for gpu in gpus()],
        "gpu_driver": driver(),
    }


def _add(digest: Any, name: str, pieces: Iterable[bytes]) -> None:
    """Add name and content, the content as its own digest, so that moving bytes between files changes the hash."""
    content = hashlib.sha256()
    for piece in pieces:
        content.update(piece)
    digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + content.digest())


def _config(file: Path) -> bytes:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file} is not JSON: {error}") from None
    if isinstance(values, dict):
        values.pop("base_model_name_or_path", None)
    return json.dumps(values, sort_keys=True).encode()


def _pieces(file: Path) -> Iterator[bytes]:
    """The bytes of a file of weights that are hashed, in the order of the file."""
    held = sorted(tensors(file).values(), key=lambda tensor: tensor.start)
    with file.open("rb") as opened:
        if file.stat().st_size <= WHOLE_BYTES:
            while piece := opened.read(1 << 20):
                yield piece
            return
        yield opened.read(held[0].start if held else -1)
        for tensor in held:
            last = max(tensor.start, tensor.end - SAMPLE_BYTES)
            for place in sorted({tensor.start + (last - tensor.start) * n // (SAMPLES - 1) for n in range(SAMPLES)}):
                opened.seek(place)
                yield opened.read(min(SAMPLE_BYTES, tensor.end - place))


def _side(file: Path, *, may_be_missing: bool = False) -> bytes:
    import pyarrow
    from pyarrow import parquet

    digest = hashlib.sha256()
    if may_be_missing and not file.exists():
        return digest.digest()
    try:
        opened = parquet.ParquetFile(file, memory_map=True)
        wanted = ("bug_id", "input_ids", "learned", "rejected_ids")
        columns = [name for name in wanted if name in opened.schema_arrow.names]
        for batch in opened.iter_batches(batch_size=256, columns=columns):
            cells = [batch.column(name).to_pylist() if name in columns else [None] * len(batch) for name in wanted]
            for bug_id, tokens, learned, rejected in zip(*cells, strict=True):
                digest.update(row_bytes(bug_id or "", tokens, learned or (), rejected or ()))
    except (pyarrow.ArrowException, KeyError, OSError, AttributeError, TypeError) as error:
        raise UserError(f"{file} is not a training set of Repair Studio: {error}", field="dataset") from None
    return digest.digest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _commit(git: Path) -> str:
    """The commit that is checked out, read from git's own files; empty if this is not a checkout.

    Their layout: https://git-scm.com/docs/gitrepository-layout
    """
    try:
        if git.is_file():  # a worktree: "gitdir: /where/it/is"
            git = git.parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref:"):
            return head
        name = head.removeprefix("ref:").strip()
        shared = git / (git / "commondir").read_text(encoding="utf-8").strip() if (git / "commondir").exists() else git
        for folder in (git, shared):
            if (folder / name).is_file():
                return (folder / name).read_text(encoding="utf-8").strip()
        packed = (shared / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.partition(" ")[0] for line in packed if line.endswith(f" {name}")), "")
    except (OSError, ValueError):
        return ""


def _changes() -> str:
    """Whether files of the program differ from the commit, new ones included: "", ".dirty" or ".unchecked"."""
    git = shutil.which("git")
    if git is None:
        return ".unchecked"
    asked = [git, "-C", str(CODE), "--no-optional-locks", "-c", "core.fsmonitor=false", "status", "--porcelain", "--"]
    try:
        done = subprocess.run([*asked, *PARTS], capture_output=True, timeout=GIT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ".unchecked"
    return ".dirty" if done.stdout.strip() else ""


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
