"""What each patch cost in tokens, whether its syntax tree is the known fix's, and which patch each order puts first"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
STANDING = ("run_id", "known_fix", "buggy_code", "first_plausible", "first_unjudged", "plausible", "judged")
MORE = ("trees_known", "tokens_written", "tokens_read", "top_mean", "top_total", "top_agreement", "top_edit")


def upgrade() -> None:
    for name in ("tokens_written", "tokens_read", "edit"):
        op.add_column("patch", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("patch", sa.Column("tree", sa.String(), nullable=True))
    op.add_column("patch", sa.Column("is_known_tree", sa.Boolean(), nullable=True))
    for name in ("first_known_fix", "first_known_tree", "tokens_written", "tokens_read"):
        op.add_column("bug", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("bug", sa.Column("trees_known", sa.Boolean(), nullable=False, server_default="0"))
    for name in ("top_mean", "top_total", "top_agreement", "top_edit"):
        op.add_column("bug", sa.Column(name, sa.Boolean(), nullable=True))
    op.execute(
        "UPDATE bug SET first_known_fix = (SELECT min(rank) FROM patch WHERE patch.bug = bug.id AND source = 'model' "
        "AND is_known_fix AND outcome = 'plausible') WHERE has_known_fix"
    )
    op.drop_index("ix_bug_standing", "bug")
    op.create_index("ix_bug_standing", "bug", [*STANDING, "has_known_fix", *MORE])
    for first in ("first_known_fix", "first_known_tree"):
        columns = ["run_id", first, "known_fix", "buggy_code", "skipped"]
        op.create_index(f"ix_bug_{first}", "bug", columns, sqlite_where=sa.text(f"{first} IS NOT NULL"))
