"""The one Alembic environment: runs a service's revisions on the connection that `chassis.store.migrate` opened."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

LOCK_TIMEOUT = "5s"
"""A migration that can't have its lock gives up, so that the service goes on; it is run again later."""

ONE_AT_A_TIME = 0x1EE3A2D
"""The advisory lock that two migrations of one database wait for, so that the second finds all done."""


def render_vocabulary_as_text(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """A closed vocabulary is text to the database, so that a new value is no migration."""
    return f"sa.String(length={item.length})" if isinstance(item, sa.Enum) else False


attributes = context.config.attributes
connection = attributes["connection"]
if connection.dialect.name == "postgresql":
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
context.configure(
    connection=connection, target_metadata=attributes.get("metadata"), render_item=render_vocabulary_as_text
)
context.run_migrations()
