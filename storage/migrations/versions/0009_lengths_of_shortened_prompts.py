"""With each bug the length of its prompt before that was shortened"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("bug", sa.Column("whole_tokens", sa.Integer(), nullable=True))
