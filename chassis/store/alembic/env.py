"""The one Alembic environment: runs a service's revisions on the connection that `chassis.store.migrate` opened."""

from alembic import context

LOCK_TIMEOUT = "5s"
"""A migration that can't have its lock gives up, so that the service goes on; it is run again later."""

attributes = context.config.attributes
connection = attributes["connection"]
if connection.dialect.name == "postgresql":
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
context.configure(connection=connection, target_metadata=attributes.get("metadata"))
context.run_migrations()
