"""How a run was asked to stop, which questions of a conversation are answered, what the model read"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("run") as run:
        run.add_column(sa.Column("stop_now", sa.Boolean(), nullable=False, server_default=sa.false()))
        run.add_column(sa.Column("stop_sent_at", sa.Float(), nullable=True))
    with op.batch_alter_table("conversation") as conversation:
        conversation.add_column(sa.Column("asked", sa.Integer(), nullable=False, server_default="0"))
        conversation.add_column(sa.Column("answered", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("turn") as turn:
        turn.add_column(sa.Column("prompt", sa.String(), nullable=False, server_default=""))
