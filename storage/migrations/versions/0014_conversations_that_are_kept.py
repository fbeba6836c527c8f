"""Conversations have settings of their own, a title, a second model beside them, and can be deleted"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("conversation", sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("conversation", sa.Column("title", sa.String(), nullable=False, server_default=""))
    op.add_column("conversation", sa.Column("beside_id", sa.Integer(), nullable=True))
    op.add_column("conversation", sa.Column("deleted_at", sa.Float(), nullable=True))
