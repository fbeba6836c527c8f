"""From diffs to samples: single-function diffs a second without tokens, rows a second with them, and memory.

Without tokens the diffs are all that there is, and each function, of 15 to 45 lines, is found in its diff's context;
with them the rows have Megadiff's columns. `ONLY=a_million_diffs` builds 1,000,000 rows, which takes ten minutes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from figures import Figure

ROWS = 20_000
COLUMNS = ("diff", "buggy_function", "fixed_function")
SAMPLES = """
import json, sys, time
from engine.builders import Funnel
from engine.plugins import BUILDERS, REPRESENTATIONS
builder = BUILDERS.create(BUILDERS.params({"name": "diffs", "path": sys.argv[1]}))
representation = REPRESENTATIONS.create(REPRESENTATIONS.params("ir4_or2"))
started = time.perf_counter()
made = sum(1 for bug in builder.stream(0, Funnel()) if representation.encode(bug))
print(json.dumps([made, time.perf_counter() - started]))
"""
BUILD = """
import json, sys, threading, time
from pathlib import Path
from engine.assets import STARTER_MODEL
from engine.domain import Model
from engine.rundir import Inputs, RunDir
from engine.specs import DatasetSpec
from engine.work.build import build
path = Path(sys.argv[1])
spec = DatasetSpec(builder={"name": "diffs", "path": str(path)})
inputs = Inputs(model=Model("starter", "base", str(STARTER_MODEL)))
run = RunDir.create(path.parent / "run", spec.model_dump(mode="json"), inputs)
peak = 0

def watch():  # without the pages of the source's file, which the system can drop at any time
    global peak
    while True:
        with open("/proc/self/status") as status:
            peak = max(peak, next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024)
        time.sleep(0.2)

threading.Thread(target=watch, daemon=True).start()
started = time.perf_counter()
rows = build(spec, inputs, run)["rows"]
print(json.dumps([rows["train"] + rows["valid"], time.perf_counter() - started, peak]))
"""


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        made, took = run(SAMPLES, write(Path(folder), ROWS, ["diff"]))
        assert made == ROWS, f"{made} of {ROWS} diffs became samples"
        yield Figure("single-function diffs to samples, untokenised", made / took, "diffs/s", 1000, is_least=True)
        made, took, peak = run(BUILD, write(Path(folder), ROWS))
        assert made == ROWS, f"{made} of {ROWS} diffs became rows"
    yield Figure("rows of Megadiff to a dataset, tokenised", made / took, "rows/s", 1500, is_least=True)
    yield Figure(f"memory of a build of {ROWS:,} diffs", peak, "MiB", 1024)


def run(code: str, path: Path) -> list[float]:
    """What the code prints, as JSON."""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def write(folder: Path, rows: int, columns: Sequence[str] = COLUMNS) -> Path:
    """A table of so many different fixes."""
    import pyarrow
    from pyarrow import parquet

    path = folder / "diffs.parquet"
    schema = pyarrow.schema([(name, pyarrow.string()) for name in columns])
    with parquet.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, 10_000):
            made = [row(number) for number in range(first, min(rows, first + 10_000))]
            writer.write_table(pyarrow.table({name: [each[name] for each in made] for name in columns}))
    return path


def row(number: int) -> dict[str, str]:
    """The diff of a method, and its lines before and after the fix."""
    text = diff(number)
    lines = text[text.index("\n", text.index("@@")) + 1 :].splitlines(keepends=True)[1:-1]
    buggy, fixed = ("".join(line[1:] for line in lines if line[0] in f" {sign}") for sign in "-+")
    return dict(zip(COLUMNS, (text, buggy, fixed), strict=True))


def diff(number: int) -> str:
    """The diff of one method of 15 to 45 lines, one of them changed, as git writes it with the method as its context."""
    n_lines = 10 + number * 7919 % 30
    lines = [
        " \n",
        f"     public int count{number}(int[] weights, int[] values) {{\n",
        f"         int total = {number};\n",
    ]
    for at in range(n_lines):
        line = f"        total += weights[{at}] * values[{(at + number) % 97}];\n"
        lines += [f"-{line}", f"+{line.replace('+=', '-=')}"] if at == number % n_lines else [f" {line}"]
    lines += ["         if (total > weights.length) {\n", "             return 0;\n", "         }\n"]
    lines += ["         return total;\n", "     }\n", " \n"]
    n = len(lines) - 1
    head = (
        f"diff --git a/src/A.java b/src/A.java\n--- a/src/A.java\n+++ b/src/A.java\n@@ -40,{n} +40,{n} @@ class A {{\n"
    )
    return head + "".join(lines)
