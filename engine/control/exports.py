"""The patches of a benchmark run as a CSV or JSONL file, written one by one as they are read."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Event
from typing import Any

from sqlmodel import Session

from engine.control.diff import unified
from engine.control.lookup import find_run
from engine.errors import UserError
from engine.scoring import control_trouble
from engine.specs import WITH_PATCHES
from storage import benchmarks
from storage.database import Database
from storage.tables import Run

FORMS = ("csv", "jsonl")
DOWNLOADS = "downloads"  # folder of the files that are being sent to browsers
DAY_S = 86_400
COLUMNS = (
    *("run", "model", "bug_id", "language", "kind", "cwe", "not_scored", "source", "rank", "outcome", "is_known_fix"),
    *("reason", "score", "duration_s", "sandbox", "isolation", "failed", "completion", "diff"),
)
FORMULAS = frozenset("=+-@\t\r")  # first characters of cells that a spreadsheet computes (OWASP, CSV injection)


class GivenUp(Exception):
    """Nobody waits for the file any more."""


def export(database: Database, folder: Path, run_id: int, form: str, given_up: Event | None = None) -> Path:
    """Write every patch of a run to a file in `folder`, which is complete or does not exist; returns its path.

    Raises UserError on another form, or if the run has no patches; GivenUp, soon after `given_up` was set. With
    `given_up`, the file has a name of its own, and its reader removes it.
    """
    if form not in FORMS:
        raise UserError(f"format: should be csv or jsonl (got {form!r})")
    with database.read() as session:
        run = _benchmark(session, run_id)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"run-{run_id}.{form}"
        # a temporary name: the same run may be exported twice at once
        with NamedTemporaryFile("w", encoding="utf-8", newline="", dir=folder, suffix=".tmp", delete=False) as file:
            try:
                _write(file, form, _until(given_up, _rows(session, run)))
                file.close()
                path = path if given_up is None else Path(file.name).with_suffix(f".{form}")
                Path(file.name).replace(path)
            finally:
                Path(file.name).unlink(missing_ok=True)
    return path


def _benchmark(session: Session, run_id: int) -> Run:
    run = find_run(session, run_id)
    if run.kind not in WITH_PATCHES:
        raise UserError(f"run {run_id} ({run.name}) is a {run.kind} run, which has no patches")
    if not benchmarks.has_patches(session, run_id):
        raise UserError(f"run {run_id} has no patches yet; wait for its first verdicts")
    return run


def _write(file: Any, form: str, rows: Iterator[tuple[Any, ...]]) -> None:
    if form == "jsonl":
        file.writelines(json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False) + "\n" for row in rows)
        return
    writer: Any = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([f"'{cell}" if type(cell) is str and cell[:1] in FORMULAS else cell for cell in row])


def _until(given_up: Event | None, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        if given_up is not None and given_up.is_set():
            raise GivenUp
        yield row


def _rows(session: Session, run: Run) -> Iterator[tuple[Any, ...]]:
    """The cells of each patch, in the order of COLUMNS."""
    model, bug_id, trouble = run.spec.get("model", ""), None, ""
    diffs: dict[int | None, str] = {}  # text id -> diff, for one bug: many of its patches are the same
    for row in benchmarks.with_texts(session, run.id or 0):
        bug_now, path, language, kind, cwe, skipped, *said, text, buggy, completion, patch, failed = row
        known_fix, buggy_code, *judged = said
        if bug_now != bug_id:
            bug_id, diffs = bug_now, {None: ""}
            trouble = f"set aside: {skipped}" if skipped else control_trouble(known_fix, buggy_code)
        if text not in diffs:
            diffs[text] = unified(buggy, patch, path)
        of_bug = (run.id, model, bug_id, language, kind, cwe, trouble)
        yield (*of_bug, *judged, _names(failed), completion, diffs[text])


def tidy(folder: Path) -> None:
    """Remove what a process that was killed left half written or half sent; call it before anything is served."""
    long_ago = time.time() - DAY_S  # a shell may be writing just now, but no export takes a day
    unfinished = [path for path in folder.glob("*.tmp") if path.stat().st_mtime < long_ago]
    for path in [*unfinished, *(folder / DOWNLOADS).glob("*")]:
        path.unlink(missing_ok=True)


@lru_cache(maxsize=1000)
def _names(failed: str) -> str:
    return " ".join(json.loads(failed))
