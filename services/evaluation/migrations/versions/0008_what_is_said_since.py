"""The numbers of intake's newest words on a client's consent and on whether a referral goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

COLUMNS = ("received_sequence", "standing_sequence")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("referral", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("referral", name)
