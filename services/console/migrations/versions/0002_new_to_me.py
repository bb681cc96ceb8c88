"""When a referral was handed over to somebody, and when they opened it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("referral", sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "opened_referral",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "referral_id", name="pk_opened_referral"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_opened_referral_referral_id", "opened_referral", ["referral_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_opened_referral_referral_id", table_name="opened_referral")
    op.drop_table("opened_referral")
    op.drop_column("referral", "handed_over_at")
