"""With each verdict whether the patch shared a process with its tests, and how long each stage took"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for table in ("patch", "turn"):
        op.add_column(table, sa.Column("isolation", sa.String(), nullable=False, server_default=""))
        op.add_column(table, sa.Column("stages", sa.JSON(), nullable=False, server_default="{}"))
