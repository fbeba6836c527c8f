"""A bug of a finished run waits for no candidate that was never made: it counts at every k"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute(
        "UPDATE bug SET first_unjudged = 2147483647 WHERE run_id IN (SELECT id FROM run WHERE state = 'done') "
        "AND NOT EXISTS (SELECT 1 FROM patch WHERE patch.bug = bug.id AND source = 'model' AND rank = first_unjudged)"
    )
