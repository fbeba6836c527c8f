"""Samples of project snapshots: time and memory do not grow with the files of a repository, but for reading its paths."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from figures import Figure

FEW, MANY, SAMPLES = 100, 10_000, 50
BUILD = """
import json, sys, time
from engine.assets import STARTER_MODEL
from engine.builders import Funnel
from engine.plugins import BUILDERS
settings = {"name": "snapshots", "path": sys.argv[1], "recipe": sys.argv[2], "per_repository": int(sys.argv[3])}
builder = BUILDERS.create(BUILDERS.params(settings))
builder.measure_with(STARTER_MODEL, 1024)
started, first = time.perf_counter(), 0.0
made = 0
for sample in builder.stream(0, Funnel()):
    first = first or time.perf_counter()
    made += 1
ended = time.perf_counter()
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
print(json.dumps([made, first - started, (ended - first) / max(made - 1, 1), peak]))
"""


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        few, many = (write(Path(folder, str(n)), n) for n in (FEW, MANY))
        small, large, calls = run(few, "standard"), run(many, "standard"), run(many, "pure_func_calls")
    yield Figure(f"a snapshot's sample, {FEW} files", small[2] * 1000, "ms", 100)
    yield Figure(f"a snapshot's sample, {MANY:,} files", large[2] * 1000, "ms", 150)
    yield Figure(f"paths and names of {MANY:,} files", large[1], "s", 10)
    yield Figure(f"more memory for {MANY:,} files than for {FEW}", large[3] - small[3], "MiB", 40)
    yield Figure(f"calls in {MANY:,} files counted once", calls[1], "s", 60)
    yield Figure("a sample with files ranked by calls, after that", calls[2] * 1000, "ms", 200)


def run(folder: Path, recipe: str) -> list[float]:
    """Samples, seconds to the first, seconds of each further one, and the peak of memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder), recipe, str(SAMPLES)], capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: list[float] = json.loads(done.stdout)
    assert found[0] == SAMPLES, f"{found[0]} of {SAMPLES} samples"
    return found


def write(folder: Path, n: int) -> Path:
    """A repository of `n` files of 2 to 4 kB."""
    folder.mkdir()
    (folder / "README.md").write_text("Functions.\n")
    for number in range(n):
        path = folder / f"package{number % 40}" / f"module{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        body = "\n".join(
            f"def f{number}_{part}(a, b):\n    c = g{part}(a) + {number}\n    return f{number}_{part + 1}(c - b)\n"
            for part in range(20 + number % 20)
        )
        path.write_text(body)
    return folder
