"""A conversation may go on with another model or other settings: each turn keeps those that it was made with"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("turn", sa.Column("model", sa.String(), nullable=False, server_default=""))
    op.add_column("turn", sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"))
