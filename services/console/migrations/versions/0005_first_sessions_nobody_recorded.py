"""Which match billing has asked about, since nobody has recorded its first session."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("referral", sa.Column("unrecorded_match", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("referral", "unrecorded_match")
