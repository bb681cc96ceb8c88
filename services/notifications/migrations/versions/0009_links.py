"""The one-time links of alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "alert_link",
        sa.Column("token_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("concern_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.UniqueConstraint("message_id", name=op.f("uq_alert_link_message_id")),
    )


def downgrade() -> None:
    op.drop_table("alert_link")
