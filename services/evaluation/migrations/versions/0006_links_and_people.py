"""What the pages of forms need: further links, how an answer came, whose a referral is, concerns, unreadable forms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("referral", sa.Column("person_id", sa.Uuid(), nullable=True))
    op.create_index("ix_referral_person_id", "referral", ["person_id"])
    op.add_column("referral", sa.Column("age_years", sa.Integer(), nullable=True))
    op.add_column("invitation", sa.Column("reminders", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("response", sa.Column("mode", sa.String(40), nullable=False, server_default="online"))
    op.add_column("response", sa.Column("entered_by", sa.String(120), nullable=True))
    op.create_table(
        "further_link",
        sa.Column("token_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
    )
    op.create_table(
        "concern",
        sa.Column("concern_id", sa.Uuid(), primary_key=True),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("ix_concern_referral_id", "concern", ["referral_id"])
    op.create_table(
        "unreadable",
        sa.Column("submission_id", sa.Uuid(), primary_key=True),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("unreadable")
    op.drop_table("concern")
    op.drop_table("further_link")
    op.drop_column("response", "entered_by")
    op.drop_column("response", "mode")
    op.drop_column("invitation", "reminders")
    op.drop_column("referral", "age_years")
    op.drop_index("ix_referral_person_id", "referral")
    op.drop_column("referral", "person_id")
