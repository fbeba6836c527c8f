"""Conversations have settings, a title, a second model beside them, and can be deleted; turns say how they were read"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("conversation", sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("conversation", sa.Column("title", sa.String(), nullable=False, server_default=""))
    op.add_column("conversation", sa.Column("beside_id", sa.Integer(), nullable=True))
    op.add_column("conversation", sa.Column("deleted_at", sa.Float(), nullable=True))
    op.add_column("turn", sa.Column("rule", sa.String(), nullable=False, server_default=""))
