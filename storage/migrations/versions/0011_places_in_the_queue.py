"""Runs have a place in the queue, which a user can change; until then it is the order in which they were asked for"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("run", sa.Column("place", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE run SET place = id")
