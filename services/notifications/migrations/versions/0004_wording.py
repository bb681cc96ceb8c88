"""Which wording each message went out in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("message", sa.Column("wording", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("message", "wording")
