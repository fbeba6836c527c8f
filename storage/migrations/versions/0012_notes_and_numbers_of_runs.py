"""Runs have a note, which a user writes, and can be deleted: the number of a deleted run is not given again"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    with op.batch_alter_table("run", recreate="always", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("note", sa.String(), nullable=False, server_default=""))
