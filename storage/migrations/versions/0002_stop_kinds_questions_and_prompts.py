"""How a run was asked to stop, which questions of a conversation are answered, what the model read"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


STATES = ("queued", "starting", "running", "stopping", "done", "stopped", "failed", "interrupted")


def upgrade() -> None:
    # The first version stored whatever a worker called its state; such a run was neither active nor ended.
    run = sa.table("run", sa.column("state", sa.String()), sa.column("error", sa.String()))
    unknown = "its worker reported a state that does not exist; resume goes on"
    op.execute(run.update().where(run.c.state.not_in(STATES)).values(state="failed", error=unknown))
    op.add_column("run", sa.Column("stop_now", sa.Boolean(), nullable=False, server_default="0"))
    op.add_column("run", sa.Column("stop_sent_at", sa.Float(), nullable=True))
    op.add_column("conversation", sa.Column("asked", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("conversation", sa.Column("answered", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("turn", sa.Column("prompt", sa.String(), nullable=False, server_default=""))
