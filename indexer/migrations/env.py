"""What alembic runs: every missing revision, on the connection and in the transaction that it is handed."""

from alembic import context

from indexer.catalog.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a column by making the table anew
)
with context.begin_transaction():
    context.run_migrations()
