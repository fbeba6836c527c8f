"""Databases of released versions are migrated and lose nothing."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from engine.scoring import CandidateSummary
from storage.database import HEAD, Database, version_of
from storage.texts import content_hash

VERSIONS = Path(__file__).parent / "versions"  # a small used database of each released version, as SQL


@pytest.fixture(params=sorted(path.name for path in VERSIONS.iterdir()))
def old(request, tmp_path):
    """A used database as that version left it; its path and what stood in it."""
    path = tmp_path / "studio.db"
    with sqlite3.connect(path) as database:
        database.executescript((VERSIONS / request.param / "studio.sql").read_text(encoding="utf-8"))
    database.close()
    return path, rows_of(path)


def rows_of(path):
    """Table -> its rows, as dictionaries."""
    with sqlite3.connect(path) as database:
        database.row_factory = sqlite3.Row
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: [dict(row) for row in database.execute(f'SELECT * FROM "{name}"')]
            for name in names
            if name != "alembic_version"
        }


def test_an_old_database_keeps_every_row_and_is_copied_first(old):
    path, before = old
    Database(path).close()
    after = as_before(rows_of(path))
    assert sum(map(len, before.values())) > 50
    for table, rows in before.items():
        names = [name for name in (rows or [{}])[0] if (table, name) != ("metric", "id")]
        assert sorted(picked(after[table], names)) == sorted(picked(rows, names)), table
    assert rows_of(path.with_name(f"studio.before-{HEAD}.db")) == before


def picked(rows, names):
    return [repr([row[name] for name in names]) for row in rows]


def as_before(tables):
    """Rows of today with the texts and names put back that rows of older versions held themselves."""
    text = {row["id"]: row["text"] for row in tables["text"]} | {None: None}
    for name in ("bug", "patch", "turn"):
        for row in tables[name]:
            row |= {column.removesuffix("_text"): text[row[column]] for column in row if column.endswith("_text")}
    bugs = {row["id"]: row for row in tables["bug"]}
    for row in tables["patch"]:
        row |= {"text": row["patch"], **{name: bugs[row["bug"]][name] for name in ("run_id", "bug_id")}}
    for row in tables["turn"]:
        row["text"] = row["message"]
    return tables


def test_each_text_is_kept_once_under_its_hash(old):
    path, before = old
    Database(path).close()
    texts = rows_of(path)["text"]
    assert len({row["text"] for row in texts}) == len(texts)
    assert all(row["hash"] == content_hash(row["text"]) for row in texts)
    held = [row["log"] for row in before["patch"]]
    assert len(set(held)) < len(held), "the example has no log twice"


def test_what_pages_sort_and_sum_by_is_what_the_old_patches_say(old):
    path, before = old
    Database(path).close()
    after = rows_of(path)
    assert any(row["judged"] for row in after["bug"])
    for bug in after["bug"]:
        mine = [row for row in before["patch"] if (row["run_id"], row["bug_id"]) == (bug["run_id"], bug["bug_id"])]
        is_over = next(row["state"] for row in before["run"] if row["id"] == bug["run_id"]) == "done"
        ranks = {row["rank"]: row["outcome"] for row in mine if row["source"] == "model"}
        at = CandidateSummary.of(ranks, is_over=is_over)
        found = CandidateSummary(bug["first_plausible"], bug["first_unjudged"], bug["plausible"], bug["judged"])
        controls = {row["source"]: row["outcome"] for row in mine if row["source"] != "model"}
        assert (found, bug["known_fix"], bug["buggy_code"]) == (
            at,
            controls.get("known_fix"),
            controls.get("buggy_code"),
        )
        fixed = next(row["fixed"] for row in before["bug"] if row["id"] == bug["id"])
        known = [
            row for row in mine if row["source"] == "model" and row["outcome"] == "plausible" and row["text"] == fixed
        ]
        assert bool(bug["has_known_fix"]) is bool(known)
        assert bug["first_known_fix"] == min((row["rank"] for row in known), default=None)
        assert (bug["tokens_written"], bug["first_known_tree"], bug["top_edit"]) == (None, None, None)
        assert not bug["trees_known"]
    counted = {(row["run_id"], row["outcome"]): row["candidates"] for row in after["outcomecount"]}
    models = [row for row in before["patch"] if row["source"] == "model"]
    assert sum(counted.values()) == len(models) > 0
    for row in after["lastmetric"]:
        steps = [
            each["step"] for each in before["metric"] if (each["run_id"], each["name"]) == (row["run_id"], row["name"])
        ]
        assert row["step"] == max(steps)


def test_old_turns_are_a_path(old):
    path, _ = old
    Database(path).close()
    turns = rows_of(path)["turn"]
    assert [turn["parent_id"] for turn in turns] == [None, *(turn["id"] for turn in turns[:-1])]
    assert {turn["run_id"] for turn in turns} == {None}, "which run made them was not kept"


def test_a_patch_without_an_event_of_its_bug_is_kept(old):
    path, _ = old
    with sqlite3.connect(path) as database:
        database.execute("UPDATE patch SET bug_id = 'lost' WHERE id = 1")
    database.close()
    Database(path).close()
    after = rows_of(path)
    lost = next(row for row in after["bug"] if row["bug_id"] == "lost")
    assert [row["id"] for row in after["patch"] if row["bug"] == lost["id"]] == [1]


def test_bugs_of_quixbugs_get_their_ids_of_today(old):
    path, before = old
    was, kept = (row["bug_id"] for row in before["bug"][:2])
    with sqlite3.connect(path) as database:
        for table in ("bug", "patch"):
            database.execute(f"UPDATE {table} SET bug_id = 'quixbugs/gcd' WHERE bug_id = ?", (was,))
    database.close()
    Database(path).close()
    ids = [row["bug_id"] for row in rows_of(path)["bug"]]
    assert ids[:2] == ["quixbugs-python/gcd", kept]
    assert len(ids) == len(before["bug"])


@pytest.mark.parametrize("old", ["0001"], indirect=True)
def test_a_run_in_a_state_that_does_not_exist_has_failed(old):
    path, _ = old
    with sqlite3.connect(path) as database:
        database.execute("UPDATE run SET state = 'banana' WHERE id = 1")
    database.close()
    Database(path).close()
    run = rows_of(path)["run"][0]
    assert (run["state"], "does not exist" in run["error"]) == ("failed", True)


def test_a_failed_migration_changes_nothing_and_the_next_start_copies_again(old, monkeypatch):
    from alembic import command

    path, before = old
    backup, real = path.with_name(f"studio.before-{HEAD}.db"), command.upgrade

    def failing(config, revision):
        real(config, revision)
        raise OSError("in the middle of it")

    monkeypatch.setattr(command, "upgrade", failing)
    with pytest.raises(OSError, match="in the middle"):
        Database(path)
    assert rows_of(path) == before
    with sqlite3.connect(path) as database:  # the older studio goes on for a while
        database.execute("UPDATE run SET name = 'renamed' WHERE id = 1")
    database.close()
    monkeypatch.setattr(command, "upgrade", real)
    Database(path).close()
    assert rows_of(path)["run"][0]["name"] == rows_of(backup)["run"][0]["name"] == "renamed"


def test_sigkill_in_a_migration_and_the_next_start_finishes_it(old):
    path, before = old
    code = (
        "import os, signal, sys; from pathlib import Path; from alembic import command\n"
        "real = command.upgrade\n"
        "command.upgrade = lambda *given: (real(*given), os.kill(os.getpid(), signal.SIGKILL))\n"
        "from storage.database import Database; Database(Path(sys.argv[1]))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == -signal.SIGKILL
    Database(path).close()
    assert version_of(path) == HEAD
    assert len(rows_of(path)["run"]) == len(before["run"])
