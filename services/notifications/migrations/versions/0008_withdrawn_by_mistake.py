"""How long the address of whoever was withdrawn is kept, and what intake last said of whether a referral goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("client", sa.Column("standing_sequence", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("client", sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("client", "keep_until")
    op.drop_column("client", "standing_sequence")
