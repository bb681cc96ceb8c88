"""What a therapist reports of a match: when they made contact, and when they said last that they have met."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("match", sa.Column("contact_made_on", sa.Date(), nullable=True))
    op.add_column("match", sa.Column("session_reported_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("match", "session_reported_at")
    op.drop_column("match", "contact_made_on")
