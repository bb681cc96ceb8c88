"""When a therapist said last that a match has ended, so that an old word ends nothing that was put right since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("match", sa.Column("end_reported_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("match", "end_reported_at")
