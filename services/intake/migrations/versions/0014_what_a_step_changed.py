"""The names of what a step changed, so that a person can be told what somebody else has changed meanwhile."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("referral_step", sa.Column("changed", sa.JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("referral_step", "changed")
