"""What intake's newest word on a search is: a referral may be on hold, be reopened, or be received anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for name in ("received_sequence", "search_sequence"):
        op.add_column("referral", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("referral", sa.Column("on_hold", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for name in ("received_sequence", "search_sequence", "on_hold"):
        op.drop_column("referral", name)
