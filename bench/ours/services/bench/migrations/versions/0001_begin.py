"""All tables as they are now: this database never outlives a measurement, so it has no history to migrate."""

from __future__ import annotations

from alembic import op
from services.bench.store import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
