"""Writes tested faults as a benchmark that `engine.benchmarks.folder` reads: the project once, a folder for each bug.

project/               the untouched project with its tests
NAME/bug.json          as in pocket's format, with "base": "../project"
NAME/buggy/FILE        the file with the fault
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from engine.artifacts import atomic_folder
from engine.builders.tested.candidates import Fault
from engine.builders.tested.trials import Tested
from engine.domain import Bug, span_of_change

PROJECT = "project"


def write_project(files: Mapping[str, bytes], folder: Path) -> None:
    """Copy the project's files; they are complete or not there."""
    with atomic_folder(folder / PROJECT) as copy:
        for path, content in files.items():
            file = copy / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def name_of(fault: Fault) -> str:
    """The name of a fault's folder: file, function, and a part of a hash, the same whenever the fault is made again."""
    digest = blake2b(f"{fault.function.path}\0{fault.text}".encode(), digest_size=5).hexdigest()
    stem = PurePosixPath(fault.function.path).stem
    return re.sub(r"[^A-Za-z0-9_.]", "_", f"{stem}.{fault.function.name}")[:80] + f"-{digest}"


def bug_of(fault: Fault, tested: Tested, language: str, project: str) -> Bug:
    """The fault as a bug whose tests are known."""
    fixed = fault.function.text
    return Bug(
        id=f"tested_faults/{name_of(fault)}",
        language=language,
        path=fault.function.path,
        buggy=fault.text,
        fixed=fixed,
        span=span_of_change(fault.text, fixed),
        kind=fault.kind,
        project=project,
        failing=tested.failing,
        passing=tested.passing,
    )


def write_bug(bug: Bug, folder: Path) -> None:
    """Write a bug's folder, unless it is there."""
    path = folder / bug.id.partition("/")[2]
    if path.exists():
        return
    told = {
        "language": bug.language,
        "base": f"../{PROJECT}",
        "file": bug.path,
        "span": [bug.span.start, bug.span.end],
        "kind": bug.kind,
        "project": bug.project,
        "failing": bug.failing,
        "passing": bug.passing,
    }
    unfinished = path.with_name(f".{path.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    file = unfinished / "buggy" / bug.path
    file.parent.mkdir(parents=True)
    file.write_bytes(bug.buggy.encode())
    (unfinished / "bug.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.rename(path)
