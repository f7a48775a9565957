"""Run by Alembic: applies the steps over the connection that ``service.records.opening`` hands in."""

from alembic import context

from service.records.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
# The caller has begun the transaction, which also holds the lock; Alembic must not end it.
context.run_migrations()
