"""What a client has agreed to, what may be undone, and submissions that could not be read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("referral", sa.Column("client_agrees", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("referral", sa.Column("may_pass_on", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("referral", sa.Column("held_for", sa.String(length=40), nullable=True))
    op.add_column("referral", sa.Column("undo_to", sa.String(length=40), nullable=True))
    op.add_column("referral", sa.Column("undo_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "unreadable_submission",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=True),
        sa.Column("form_version", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_unreadable_submission")),
    )


def downgrade() -> None:
    op.drop_table("unreadable_submission")
    for column in ("undo_until", "undo_to", "held_for", "may_pass_on", "client_agrees"):
        op.drop_column("referral", column)
