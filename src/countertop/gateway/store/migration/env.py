"""What Alembic runs: everything happens on the connection, and in the transaction, that `upgrade_…` has opened."""

from __future__ import annotations

from alembic import context

from countertop.gateway.store.table import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
