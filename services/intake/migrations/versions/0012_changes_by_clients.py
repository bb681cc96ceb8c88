"""New contacts that clients name themselves, and whether they wait for help with the cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("referral", sa.Column("waits_for_money", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("referral", sa.Column("money_sequence", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "contact_change",
        sa.Column(
            "referral_id",
            sa.Uuid,
            sa.ForeignKey("data_key.subject_id", name="fk_contact_change_referral_id_data_key", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("whose", sa.String(40), nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("old_is_safe", sa.Boolean, nullable=False),
        sa.Column("code_mark", sa.LargeBinary(32)),
        sa.Column("tries_left", sa.Integer, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("codes", sa.Integer, nullable=False),
        sa.Column("codes_since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("referral_id", name="pk_contact_change"),
    )


def downgrade() -> None:
    op.drop_table("contact_change")
    op.drop_column("referral", "money_sequence")
    op.drop_column("referral", "waits_for_money")
