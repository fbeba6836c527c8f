"""Which number a conversation has in the folder of a run from another home, and for which no model stays loaded"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("conversation", sa.Column("has_left", sa.Boolean(), nullable=False, server_default="0"))
    op.create_table(
        "conversationnumber",
        sa.Column("run_id", sa.Integer(), sa.ForeignKey("run.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), sa.ForeignKey("conversation.id"), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "number"),
    )
