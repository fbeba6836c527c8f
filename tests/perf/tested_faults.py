"""Tested faults of three real packages, fetched from the package index with their tests: how fast, and judged again.

On request only: it needs the package index, and takes some ten minutes on two idle cores.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from figures import Figure

from engine.benchmarks.folder import Folder
from engine.builders import Funnel
from engine.builders.tested_faults import NoticedFaults
from engine.domain import Bug, Outcome, Patch
from engine.plugins import SANDBOXES
from engine.sandboxes.auto import usable

ON_REQUEST = True
PACKAGES = ("toolz==1.2.0", "boltons==26.2.0", "parse==1.22.4")
BUGS = 200
WORKERS = 2


def measure() -> Iterator[Figure]:
    for package in PACKAGES:
        name = package.partition("==")[0]
        with tempfile.TemporaryDirectory() as folder:
            project, out = fetched(package, Path(folder)), Path(folder, "bugs")
            began, used = time.monotonic(), processor_s()
            bugs, funnel = built(project, out)
            took, cpu = time.monotonic() - began, processor_s() - used
            load = os.getloadavg()[1]
            print(f"{name}: {len(bugs)} bugs, {took:.0f} s, {cpu:.0f} s of processor time, load {load:.1f}, {funnel}")
            yield Figure(f"{name}: bugs that its own tests notice", len(bugs), "bugs", BUGS, is_least=True)
            yield Figure(f"{name}: time for them", took, "s", 600)
            began = time.monotonic()
            fixed, buggy = judged_again(out)
            print(f"{name}: judged again in {time.monotonic() - began:.0f} s, load {os.getloadavg()[1]:.1f}")
            yield Figure(f"{name}: known fixes plausible when judged again", fixed, "share", 1, is_least=True)
            yield Figure(f"{name}: buggy code not plausible when judged again", buggy, "share", 1, is_least=True)


def fetched(package: str, folder: Path) -> Path:
    """The unpacked source distribution of a package, as the index has it."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-binary", ":all:", "--no-deps", package]
    subprocess.run([*pip, "--dest", str(folder)], check=True, stdout=sys.stderr)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "source", filter="data")
    (project,) = (folder / "source").iterdir()
    return project


def built(project: Path, out: Path) -> tuple[Sequence[Bug], Funnel]:
    funnel = Funnel()
    settings = NoticedFaults.Params(folder=str(project), samples=BUGS, out=str(out), workers=WORKERS)
    return list(NoticedFaults(settings).stream(0, funnel)), funnel


def judged_again(out: Path) -> tuple[float, float]:
    """Shares of the known fixes that are plausible, and of the buggy code that fails its tests."""
    benchmark, sandbox = Folder(Folder.Params(folder=str(out))), usable(SANDBOXES.params("auto"))
    bugs = benchmark.bugs()
    with ThreadPoolExecutor(WORKERS) as pool:
        outcomes = list(
            pool.map(
                lambda bug: [benchmark.evaluate(bug, Patch(bug.id, text), sandbox) for text in (bug.fixed, bug.buggy)],
                bugs,
            )
        )
    fixed = sum(verdict.is_plausible for verdict, _ in outcomes)
    buggy = sum(verdict.outcome is Outcome.TEST_FAILED for _, verdict in outcomes)
    return fixed / len(bugs), buggy / len(bugs)


def processor_s() -> float:
    """Of this process and all that it started, those that still wait for work included."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ended = sum(each.ru_utime + each.ru_stime for each in used)
    return ended + sum(sum(child.cpu_times()[:4]) for child in psutil.Process().children(recursive=True))
