"""From when a timer counts, so that one set while the clock was ahead is told once that has been put right."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.tables import Instant

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("timer", sa.Column("counted_from", Instant(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("timer", "counted_from")
