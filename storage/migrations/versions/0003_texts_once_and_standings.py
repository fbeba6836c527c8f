"""Texts once each, how each bug's candidates did, turns as a tree, metrics in curve order, reviews"""

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MOVED = {
    # table -> its columns that hold texts, with what holds their ids from now on
    "bug": {"buggy": "buggy_text", "fixed": "fixed_text"},
    "patch": {"completion": "completion_text", "text": "patch_text", "log": "log_text", "failed": "failed_text"},
    "turn": {
        **{"text": "message_text", "patch": "patch_text", "prompt": "prompt_text", "log": "log_text"},
        "failed": "failed_text",
    },
}
MAY_BE_NULL = "patch_text"


def upgrade() -> None:
    connection = op.get_bind()
    sqlite: Any = connection.connection.dbapi_connection
    sqlite.create_function("content_hash", 1, _hash, deterministic=True)
    for table in MOVED:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO old_{table}")
    connection.exec_driver_sql("ALTER TABLE metric RENAME TO old_metric")
    _make_tables()
    _move_texts(connection)
    _move_bugs(connection)
    _move_patches(connection)
    _move_turns(connection)
    _move_metrics(connection)
    for table in ("patch", "turn", "bug", "metric"):
        connection.exec_driver_sql(f"DROP TABLE old_{table}")
    _make_indexes()


def _hash(text: str | None) -> bytes | None:
    return None if text is None else hashlib.blake2b(text.encode(), digest_size=16).digest()


def _make_tables() -> None:
    run = sa.Column("run_id", sa.Integer(), sa.ForeignKey("run.id"), nullable=False)
    op.create_table(
        "text",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.UniqueConstraint("hash"),
    )
    op.create_table(
        "bug",
        sa.Column("id", sa.Integer(), primary_key=True),
        run,
        *(sa.Column(name, sa.String(), nullable=False) for name in ("bug_id", "language", "path", "kind", "cwe")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("start", "end")),
        *(_text(name) for name in MOVED["bug"].values()),
        sa.Column("skipped", sa.String(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer()),
        sa.Column("known_fix", sa.String()),
        sa.Column("buggy_code", sa.String()),
        sa.Column("first_plausible", sa.Integer()),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("first_unjudged", "plausible", "judged")),
        sa.Column("has_known_fix", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("run_id", "bug_id"),
    )
    op.create_table(
        "patch",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("bug", sa.Integer(), sa.ForeignKey("bug.id"), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        *(_text(name) for name in MOVED["patch"].values()),
        sa.Column("score", sa.Float()),
        sa.Column("same_as", sa.Integer()),
        *_verdict(),
        sa.Column("is_known_fix", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("bug", "source", "rank"),
    )
    op.create_table(
        "turn",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("conversation_id", sa.Integer(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.Column("parent_id", sa.Integer(), sa.ForeignKey("turn.id")),
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("run.id")),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        *(_text(name) for name in MOVED["turn"].values()),
        sa.Column("patch_reason", sa.String(), nullable=False),
        *_verdict(),
        sa.UniqueConstraint("conversation_id", "number"),
    )
    op.create_table(
        "metric",
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("step", sa.Integer(), primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("value", "time")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lastmetric",
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("step", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("value", "time")),
    )
    op.create_table(
        "outcomecount",
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("outcome", sa.String(), primary_key=True),
        sa.Column("candidates", sa.Integer(), nullable=False),
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("run.id"), nullable=False),
        sa.Column("patch_id", sa.Integer(), sa.ForeignKey("patch.id"), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("reviewer", "verdict", "note")),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.UniqueConstraint("patch_id", "reviewer"),
    )


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), sa.ForeignKey("text.id"), nullable=name == MAY_BE_NULL)


def _verdict() -> list[sa.Column[Any]]:
    return [
        *(sa.Column(name, sa.String(), nullable=False) for name in ("outcome", "reason", "sandbox")),
        sa.Column("duration_s", sa.Float(), nullable=False),
    ]


def _make_indexes() -> None:
    standing = ["known_fix", "buggy_code", "first_plausible", "first_unjudged", "plausible", "judged", "has_known_fix"]
    op.create_index("ix_bug_standing", "bug", ["run_id", *standing])
    op.create_index("ix_bug_skipped", "bug", ["run_id", "skipped"], sqlite_where=sa.text("skipped != ''"))
    op.create_index("ix_review_run", "review", ["run_id", "verdict", "patch_id"])
    op.create_index("ix_last_metric_value", "lastmetric", ["name", "value"])


def _move_texts(connection: sa.Connection) -> None:
    connection.exec_driver_sql("INSERT INTO text (hash, text) VALUES (?, '')", (_hash(""),))
    for table, columns in MOVED.items():
        for column in columns:
            different = f'SELECT DISTINCT "{column}" AS text FROM old_{table} WHERE "{column}" IS NOT NULL'  # noqa: S608
            hashed = f"SELECT content_hash(text), text FROM ({different})"  # noqa: S608
            connection.exec_driver_sql(f"INSERT OR IGNORE INTO text (hash, text) {hashed}")


def _copy(connection: sa.Connection, table: str, kept: str, more: dict[str, str]) -> None:
    """Rows of the old table into the new one: `kept` columns, ids of texts, and `more` columns with what they hold."""
    texts = {
        new: f'(SELECT id FROM text WHERE hash = content_hash(o."{old}"))'  # noqa: S608
        for old, new in MOVED[table].items()
    }
    columns = {f'"{name}"': f'o."{name}"' for name in kept.split()} | texts | more
    read = f"SELECT {', '.join(columns.values())} FROM old_{table} o ORDER BY o.id"  # noqa: S608
    connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(columns)}) {read}")


def _move_bugs(connection: sa.Connection) -> None:
    nothing = {"first_unjudged": "1", "plausible": "0", "judged": "0", "has_known_fix": "0"}
    columns = "id run_id bug_id language path kind cwe start end skipped prompt_tokens"
    _copy(connection, "bug", columns, nothing)
    # A patch whose bug was never told of: a row with all that is known of that bug, which is its name.
    connection.exec_driver_sql(
        "INSERT OR IGNORE INTO bug (run_id, bug_id, language, path, kind, cwe, start, end, buggy_text, fixed_text, "
        "skipped, first_unjudged, plausible, judged, has_known_fix) "
        "SELECT DISTINCT run_id, bug_id, '', '', '', '', 1, 0, 1, 1, '', 1, 0, 0, 0 FROM old_patch"
    )


def _move_patches(connection: sa.Connection) -> None:
    bug = "(SELECT id FROM bug WHERE bug.run_id = o.run_id AND bug.bug_id = o.bug_id)"
    columns = "id source rank score same_as outcome reason sandbox duration_s"
    _copy(connection, "patch", columns, {"bug": bug, "is_known_fix": "0"})
    connection.exec_driver_sql(
        "UPDATE patch SET is_known_fix = patch_text IS (SELECT fixed_text FROM bug WHERE bug.id = patch.bug)"
    )
    connection.exec_driver_sql(
        "INSERT INTO outcomecount SELECT bug.run_id, outcome, count(*) FROM patch JOIN bug ON bug.id = patch.bug "
        "WHERE source = 'model' GROUP BY 1, 2"
    )
    rows = connection.exec_driver_sql(
        "SELECT bug, json_group_array(json_array(source, rank, outcome, is_known_fix)) FROM patch GROUP BY bug"
    )
    for bug_row, judged in rows.all():
        connection.exec_driver_sql(
            "UPDATE bug SET known_fix = ?, buggy_code = ?, first_plausible = ?, first_unjudged = ?, plausible = ?, "
            "judged = ?, has_known_fix = ? WHERE id = ?",
            (*_standing(json.loads(judged)), bug_row),
        )


def _standing(patches: list[tuple[str, int, str, int]]) -> tuple[object, ...]:
    """Of one bug, as `engine.scoring.Standing` was when this migration was written."""
    controls = {source: outcome for source, _, outcome, _ in patches if source != "model"}
    judged = {rank: outcome for source, rank, outcome, _ in patches if source == "model" and outcome != "not_run"}
    plausible = [rank for rank, outcome in judged.items() if outcome == "plausible"]
    known = any(source == "model" and outcome == "plausible" and same for source, _, outcome, same in patches)
    gap = next(rank for rank in range(1, len(judged) + 2) if rank not in judged)
    first = min(plausible, default=None)
    return controls.get("known_fix"), controls.get("buggy_code"), first, gap, len(plausible), len(judged), known


def _move_turns(connection: sa.Connection) -> None:
    """Until now each turn followed the one before it; which run had made it was not kept."""
    columns = "id conversation_id number role patch_reason outcome reason sandbox duration_s"
    before = (
        "(SELECT p.id FROM old_turn p WHERE p.conversation_id = o.conversation_id AND p.number < o.number "
        "ORDER BY p.number DESC LIMIT 1)"
    )
    _copy(connection, "turn", columns, {"parent_id": before})


def _move_metrics(connection: sa.Connection) -> None:
    connection.exec_driver_sql(
        "INSERT INTO metric (run_id, name, step, seq, value, time) "
        "SELECT run_id, name, step, seq, value, time FROM old_metric ORDER BY run_id, name, step, seq"
    )
    connection.exec_driver_sql(  # the value and the time are those of the row with the largest step
        "INSERT INTO lastmetric (run_id, name, step, value, time) "
        "SELECT run_id, name, max(step), value, time FROM metric GROUP BY run_id, name"
    )
