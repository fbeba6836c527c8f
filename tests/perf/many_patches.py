"""Homes with many patches: 10,000 bugs that came in as events, and the same ten times as often copied within SQLite."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from pathlib import Path

from engine.control.sync import ingest
from engine.control.workspace import Workspace
from engine.rundir import Inputs, RunDir
from storage.tables import Run

BUGS, CANDIDATES = 10_000, 10
OUTCOMES = ("plausible", "test_failed", "test_failed", "test_failed", "compile_error", "timeout", "no_patch", "not_run")
KINDS = ("off_by_one", "wrong_operator", "wrong_variable", "missing_guard", "wrong_base_case", "swapped_arguments")
BODY = "".join(f"    x{n} = compute(x{n - 1}, {n})  # a line of code\n" for n in range(1, 41))
READ_BYTES = 4 << 20
METRICS = ("loss", "learning_rate", "tokens_per_s", "memory_bytes", "grad_norm")
STEPS = 20_000


def benchmark_events(seed: int = 1) -> list[dict[str, object]]:
    """What the worker of such a run says; another seed gives the same bugs with other verdicts."""
    drawn = random.Random(seed)
    said: list[dict[str, object]] = []
    for number in range(BUGS):
        buggy = f"def f{number}(x0):\n{BODY}    return x40\n"
        fixed = buggy.replace("x7, 8", "x7, 9")
        bug_id = f"many/{'py' if number % 3 else 'java'}-{number:06}"
        language = "python" if number % 3 else "java"
        said.append({"event": "bug", "id": bug_id, "language": language, "path": f"src/f{number}.py", "start": 9, "end": 9,
                     "buggy": buggy, "fixed": fixed, "kind": KINDS[number % 6], "cwe": "CWE-193" if number % 4 == 0 else ""})  # fmt: skip
        for source, text, outcome in (("known_fix", fixed, "plausible"), ("buggy_code", buggy, "test_failed")):
            verdict = {"outcome": outcome, "log": "3 passed", "sandbox": "bubblewrap 0.8.0"}
            said.append(
                {"event": "patch", "bug_id": bug_id, "source": source, "rank": 0, "text": text, "verdict": verdict}
            )
        for rank in range(1, CANDIDATES + 1):
            outcome = drawn.choice(OUTCOMES)
            verdict = {"outcome": outcome, "log": f"E assert {rank} == {number}\n" * 10, "failed": ["test_small"],
                       "duration_s": 0.31, "sandbox": "bubblewrap 0.8.0"}  # fmt: skip
            text = None if outcome == "no_patch" else buggy.replace("x7, 8", f"x7, {rank + 8}")
            said.append({"event": "patch", "bug_id": bug_id, "source": "model", "rank": rank, "text": text, "verdict": verdict,
                         "completion": f"    x8 = compute(x7, {rank + 8})\n", "score": -0.1 * rank})  # fmt: skip
    return said


def training_events() -> list[dict[str, object]]:
    """100,000 numbers of a training."""
    drawn = random.Random(2)
    return [
        {"event": "metric", "step": step, "values": {name: drawn.random() for name in METRICS}}
        for step in range(1, STEPS + 1)
    ]


def taken_in(workspace: Workspace, kind: str, said: list[dict[str, object]]) -> tuple[int, float]:
    """A run that has said all this; its number, and how many of its events were taken in each second."""
    with workspace._database.write() as session:
        run = Run(kind=kind, name=kind, state="done", created_at=time.time(), started_at=time.time(),
                  spec={"kind": kind, "model": "starter", "candidates": CANDIDATES})  # fmt: skip
        session.add(run)
        session.flush()
        run.folder = str(workspace.home / "runs" / str(run.id))
        number = run.id or 0
    folder = RunDir.create(Path(run.folder), run.spec, Inputs())
    lines = (json.dumps({"seq": seq, "time": 1.0 * seq, **fields}) for seq, fields in enumerate(said, 1))
    folder.events_path.write_text("".join(f"{line}\n" for line in lines))
    started, size, offset = time.perf_counter(), folder.events_path.stat().st_size, 0
    while offset < size:
        with workspace._database.write() as session:
            run = session.get_one(Run, number)
            ingest(session, run, folder, READ_BYTES)
            offset = run.offset
    return number, len(said) / (time.perf_counter() - started)


def ten_times(home: Path, run_id: int) -> int:
    """A run with ten copies of every bug of another one; its number."""
    with sqlite3.connect(home / "studio.db") as database:
        columns = {table: _columns(database, table) for table in ("run", "bug", "patch")}
        made = database.execute("SELECT max(id) + 1 FROM run").fetchone()[0]
        most = database.execute("SELECT max(id) FROM bug").fetchone()[0]
        _copy(database, "run", columns["run"], {"id": made, "name": "'ten times'"}, f"id = {run_id}")
        for copy in range(1, 11):
            bug = {"id": f"id + {most * copy}", "run_id": made, "bug_id": f"'{copy}/' || bug_id"}
            _copy(database, "bug", columns["bug"], bug, f"run_id = {run_id}")
            here = f"bug IN (SELECT id FROM bug WHERE run_id = {run_id})"
            _copy(database, "patch", columns["patch"], {"id": "NULL", "bug": f"bug + {most * copy}"}, here)
        counts = f"SELECT {made}, outcome, 10 * candidates FROM outcomecount WHERE run_id = {run_id}"
        database.execute(f"INSERT INTO outcomecount {counts}")
    database.close()
    return int(made)


def reviewed(home: Path, run_id: int, patches: int) -> tuple[str, int]:
    """Give reviews of the first plausible patches by two people; bug and rank of the patch in the middle of the run."""
    with sqlite3.connect(home / "studio.db") as database:
        here = f"FROM bug JOIN patch ON patch.bug = bug.id WHERE bug.run_id = {run_id} AND source = 'model'"
        found = f"SELECT patch.id, bug_id, rank {here} AND outcome = 'plausible' ORDER BY bug_id, rank"
        plausible = database.execute(found).fetchall()
        database.executemany(
            "INSERT INTO review (run_id, patch_id, reviewer, verdict, note, created_at) VALUES (?, ?, ?, ?, '', 0.0)",
            [
                (run_id, patch, reviewer, "correct" if place % skipped else "incorrect")
                for reviewer, skipped in (("ada", 3), ("bob", 4))
                for place, (patch, _, _) in enumerate(plausible[:patches])
            ],
        )
    database.close()
    return plausible[len(plausible) // 2][1:]


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def _copy(database: sqlite3.Connection, table: str, columns: list[str], changed: dict[str, object], where: str) -> None:
    held = ", ".join(str(changed.get(name, f'"{name}"')) for name in columns)
    database.execute(f"INSERT INTO {table} SELECT {held} FROM {table} WHERE {where} ORDER BY id")
