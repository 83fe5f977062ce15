"""What Alembic runs for every command. The connection comes from ``script.upgrade``."""

from alembic import context

from bessemer.store.table import METADATA

connection = context.config.attributes["connection"]
# SQLite cannot alter most things in place: batch mode copies the table instead.
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
