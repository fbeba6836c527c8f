"""With each bug the project that it comes from, where its benchmark knows it"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("bug", sa.Column("project", sa.String(), nullable=False, server_default=""))
