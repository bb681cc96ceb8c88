"""The secret of an offer's link, and what its page shows besides what was known here before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("offer", sa.Column("token_hash", sa.LargeBinary(32), nullable=True))
    op.create_index("ix_offer_token_hash", "offer", ["token_hash"], unique=True)
    op.add_column("referral", sa.Column("age_band", sa.String(40), nullable=True))
    op.add_column("referral", sa.Column("risk_level", sa.String(40), nullable=True))


def downgrade() -> None:
    op.drop_column("referral", "risk_level")
    op.drop_column("referral", "age_band")
    op.drop_index("ix_offer_token_hash", "offer")
    op.drop_column("offer", "token_hash")
