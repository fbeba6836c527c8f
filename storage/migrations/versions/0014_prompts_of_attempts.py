"""A patch has the prompt that it answers, where a bug has several"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("patch", sa.Column("prompt_text", sa.Integer(), nullable=True))
