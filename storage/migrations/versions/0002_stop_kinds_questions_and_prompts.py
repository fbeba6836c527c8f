"""How a run was asked to stop, which questions of a conversation are answered, what the model read"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("run", sa.Column("stop_now", sa.Boolean(), nullable=False, server_default="0"))
    op.add_column("run", sa.Column("stop_sent_at", sa.Float(), nullable=True))
    op.add_column("conversation", sa.Column("asked", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("conversation", sa.Column("answered", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("turn", sa.Column("prompt", sa.String(), nullable=False, server_default=""))
