"""Alembic's entry point: runs the migrations on the connection that `storage.database` passes."""

from alembic import context
from sqlmodel import SQLModel

from storage import tables  # noqa: F401  (declares the tables)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
