"""Run by Alembic: migrate on the connection that was handed over, in the transaction that is open on it."""

from alembic import context

from gatehold.store.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"], version_table=VERSION_TABLE, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
