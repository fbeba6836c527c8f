"""With each bug the length of its prompt before that was shortened; the bugs of QuixBugs have their ids of today"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("bug", sa.Column("whole_tokens", sa.Integer(), nullable=True))
    # OR IGNORE: a run that was resumed since has the bug under both ids
    op.execute(
        "UPDATE OR IGNORE bug SET bug_id = 'quixbugs-python/' || substr(bug_id, length('quixbugs/') + 1) "
        "WHERE bug_id LIKE 'quixbugs/%'"
    )
