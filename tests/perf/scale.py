"""A studio before a large cluster: 200 workers that together send 200,000 patches in five minutes, 1,000 queued runs.

The workers are simulated: one process appends to all their files. It takes six minutes, so it is measured only where it
is named: `make perf ONLY=scale`. `docs/scale.md` says what follows from it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import many_patches
from figures import Figure
from studio_in_a_browser import memory_mib, server
from web_server import Server

from engine.control.workspace import Workspace
from engine.launchers.local import boot_id, start_time
from engine.rundir import Inputs, RunDir
from engine.spec_files import read_spec
from storage.tables import Run

ON_REQUEST = True
WORKERS, QUEUED, PATCHES, SECONDS = 200, 1000, 200_000, 300.0
PAGES = ("monitor", "patches", "datasets")
LOOK_S = 1.0  # between two looks at the pages
SAMPLE_S = 0.002  # between two looks at whether the supervisor is at work
SETTLING_S = 20.0  # after the last event was written, for all to be read
LOCKED = Path("/proc/locks")


def measure(seconds: float = SECONDS, patches: int = PATCHES) -> Iterator[Figure]:
    made: dict[str, int] = {}
    with server(prepare=lambda home: made.update(fill(home)), is_still=False) as studio:
        watched = Watched(studio.home / "supervisor.lock")
        watched.start()
        looks = Looks(studio)
        time.sleep(3)
        command = [sys.executable, __file__, str(studio.home), str(seconds), str(patches)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, **pipes, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}) as writer:
            register(studio.home, writer.pid)
            assert writer.stdin
            assert writer.stdout
            writer.stdin.write("begin\n")
            writer.stdin.flush()
            began, memory = time.monotonic(), []
            while writer.poll() is None:
                time.sleep(LOOK_S)
                looks.look()
                memory.append(memory_mib(studio))
            sent = int(writer.stdout.read())
        took = time.monotonic() - began
        behind = caught_up(studio.home, sent)
        watched.end()
        memory.append(memory_mib(studio))
    print(f"{sent:,} patches in {took:.0f} s ({sent / took:.0f}/s); {len(watched.took)} ticks, {looks.words()}")
    watched.took.sort()
    print(f"ticks: median {watched.at(0.5):.3f} s, longest {watched.took[-1]:.3f} s; {behind:.1f} s behind at the end")
    yield Figure(f"a tick, {WORKERS} workers and {QUEUED:,} queued runs, 95 of 100", 1000 * watched.at(0.95), "ms", 200)
    for page, times in looks.times.items():
        yield Figure(f"the page {page} meanwhile, 95 of 100", 1000 * sorted(times)[int(0.95 * len(times))], "ms", 300)
    yield Figure("memory of the server meanwhile, most", max(memory), "MiB", 300)
    yield Figure("all patches stored after the last was written", behind, "s", SETTLING_S)


def fill(home: Path) -> dict[str, int]:
    """A home with the folders and rows of all runs; those of workers have not begun."""
    workspace = Workspace(home)
    spec = read_spec("benchmark", "demo", ["launcher.devices=cpu"]).model_dump(mode="json")
    with workspace._database.write() as session:
        runs = [Run(kind="benchmark", name=f"shard {number}", spec=spec, created_at=time.time(),
                    state="starting" if number < WORKERS else "queued", place=number + 1)
                for number in range(WORKERS + QUEUED)]  # fmt: skip
        session.add_all(runs)
        session.flush()
        for run in runs:
            run.folder = str(home / "runs" / str(run.id))
            if run.state == "starting":
                RunDir.create(Path(run.folder), spec, Inputs())
                run.state, run.started_at = "queued", time.time()
                run.after = runs[0].id  # not to be started while the server is prepared
    workspace.close()
    return {"runs": len(runs)}


def register(home: Path, writer: int) -> None:
    """The writer is the worker of all runs that are at work."""
    handle = f"{boot_id()}:{writer}:{start_time(writer)}"
    with sqlite3.connect(home / "studio.db", timeout=30) as database:
        database.execute("UPDATE run SET state = 'running', after = NULL, handle = ? WHERE id <= ?", (handle, WORKERS))
    database.close()


def caught_up(home: Path, sent: int) -> float:
    """Seconds until every patch is a row; a candidate is counted once."""
    began = time.monotonic()
    with sqlite3.connect(home / "studio.db", timeout=30) as database:
        while time.monotonic() - began < 10 * SETTLING_S:
            stored = database.execute("SELECT sum(candidates) FROM outcomecount").fetchone()[0] or 0
            if stored >= sent:
                break
            time.sleep(0.2)
        took = time.monotonic() - began
        size = sum(each.stat().st_size for each in home.glob("studio.db*"))
        events = sum(each.stat().st_size for each in (home / "runs").glob("*/events.jsonl"))
        print(f"{stored:,} of {sent:,} stored; database {size / sent:,.0f} bytes, events {events / sent:,.0f} a patch")
    database.close()
    return took


class Watched(threading.Thread):
    """How long the supervisor holds its lock at a time: the kernel tells, so nothing is held up by looking."""

    def __init__(self, lock: Path) -> None:
        super().__init__(daemon=True)
        self._inode = f":{lock.stat().st_ino} "
        self._ended = threading.Event()
        self.took: list[float] = []

    def run(self) -> None:
        since: float | None = None
        while not self._ended.wait(SAMPLE_S):
            now, is_held = time.monotonic(), self._inode in LOCKED.read_text()
            if is_held and since is None:
                since = now
            elif not is_held and since is not None:
                self.took.append(now - since)
                since = None

    def end(self) -> None:
        self._ended.set()
        self.join()

    def at(self, share: float) -> float:
        found = sorted(self.took)
        return found[min(len(found) - 1, int(share * len(found)))] if found else 0.0


class Looks:
    """The answers to an open page that asks for what has changed."""

    def __init__(self, studio: Server) -> None:
        self._studio = studio
        config = json.loads(studio.request("/config")[1])
        values = {part["id"]: part["props"].get("value") for part in config["components"]}
        named = {each["api_name"]: each["inputs"] for each in config["dependencies"]}
        self._fields = {page: [values[field] for field in named[f"{page}_look"]] for page in PAGES}
        self.times: dict[str, list[float]] = {page: [] for page in PAGES}

    def look(self) -> None:
        for page, values in self._fields.items():
            began = time.perf_counter()
            status, body = self._studio.request(f"/studio/look/{page}", {"values": values})
            self.times[page].append(time.perf_counter() - began)
            assert status == 200, body[:200]

    def words(self) -> str:
        return ", ".join(f"{page} {sorted(times)[len(times) // 2]:.3f} s" for page, times in self.times.items())


def write(home: Path, seconds: float, patches: int) -> int:
    """Append the events of all workers at a steady rate; returns how many patches by the model there are."""
    lines, each = events(), many_patches.CANDIDATES + 3
    bugs = -(-patches // (WORKERS * many_patches.CANDIDATES))
    total, files = bugs * each * WORKERS, []
    for number in range(1, WORKERS + 1):
        files.append((home / "runs" / str(number) / "events.jsonl").open("a", encoding="utf-8"))
        files[-1].write(json.dumps({"seq": 1, "time": time.time(), "event": "state", "state": "running"}) + "\n")
    began, beat, written = time.monotonic(), 0.0, 0
    while written < total:
        now = time.monotonic()
        for event in range(written, min(total, int((now - began) / seconds * total) + 1)):
            worker, at = event % WORKERS, event // WORKERS
            line = lines[at % len(lines)]
            files[worker].write(
                f'{{"seq": {at + 2}, "time": {time.time()}, {line}\n'.replace("BUG", f"{worker}-{at // each}")
            )
            written = event + 1
        for file in files:
            file.flush()
        if now - beat > 4:
            beat = now
            for number in range(1, WORKERS + 1):
                RunDir(home / "runs" / str(number)).beat()
        time.sleep(0.1)
    return bugs * many_patches.CANDIDATES * WORKERS


def events() -> list[str]:
    """The events of a few bugs without what differs between workers, as the ends of lines of JSON."""
    found = []
    for fields in many_patches.benchmark_events()[: 20 * (many_patches.CANDIDATES + 3)]:
        name = "id" if fields["event"] == "bug" else "bug_id"
        found.append(json.dumps({**fields, name: "many/BUG"})[1:])
    return found


if __name__ == "__main__":
    sys.stdin.readline()
    print(write(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
