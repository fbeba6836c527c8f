"""A training set of 1,000,000 rows: any sample by its number, a search, and what stays in memory of it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from figures import Figure

from engine.training_set import Row, Shard

ROWS = 1_000_000
CODE = "".join(f"    total += weights[{n}] * values[{n}]  # one of many lines\n" for n in range(15))
LOOKS = """
import json, sys, time
from engine.control import datasets
from engine.stored import Stored
from pathlib import Path

def took(look):
    started = time.perf_counter()
    look()
    return 1000 * (time.perf_counter() - started)

def resident():
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS"))) / 1024

stored = Stored(Path(sys.argv[1]))
stored.row(1, ("prompt",))
before = resident()
columns = (*datasets.SEARCHED, "buggy", "fixed", "input_ids", "n_prompt")
rows = sorted(took(lambda at=at: stored.row(at * 15_485_863 % len(stored), columns)) for at in range(30))
common, rare = datasets.Search("weights[3]"), datasets.Search("bug-999999")
first = took(lambda: common.look(stored, 0))
again = took(lambda: stored.row(common.rows[1], columns))
last = took(lambda: rare.look(stored, 0))
assert list(rare.rows) == [999_999], rare.rows
print(json.dumps({"row": rows[15], "first": first, "again": again, "last": last, "grown": resident() - before}))
"""


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.parquet"
        write(path)
        print(f"{path.stat().st_size / 1e6:.0f} MB of Parquet")
        done = subprocess.run([sys.executable, "-c", LOOKS, str(path)], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
    yield Figure("a sample by its number, 1,000,000 rows", found["row"], "ms", 100)
    yield Figure("a search that finds much, 1,000,000 rows", found["first"], "ms", 1000)
    yield Figure("its next sample", found["again"], "ms", 100)
    yield Figure("a search for the last row only, 1,000,000 rows", found["last"], "ms", 10_000)
    yield Figure("memory kept after looking at 1,000,000 rows", found["grown"], "MiB", 60)


def write(path: Path) -> None:
    """Rows as a build makes them."""
    shard = Shard(path)
    for number in range(ROWS):
        shard.add(row(number))
    shard.close()


def row(number: int) -> Row:
    bug_id, code = f"bug-{number}", f"def f{number % 977}(weights, values):\n{CODE}"
    ids = [(number + at) % 5000 for at in range(120)]
    return Row(bug_id, "off_by_one", "p", "python", code, "    total += 1\n", ids, 110, 120, code, code)
