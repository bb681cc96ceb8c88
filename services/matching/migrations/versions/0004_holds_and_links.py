"""Holds, reopening, a place that is told anew, and links: what intake may say of a search that is under way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for name in ("received_sequence", "search_sequence"):
        op.add_column("referral", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("referral", sa.Column("on_hold", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
    )
    for name in ("referral_id", "other_id"):
        op.create_index(op.f(f"ix_link_{name}"), "link", [name], unique=False)


def downgrade() -> None:
    op.drop_table("link")
    for name in ("received_sequence", "search_sequence", "on_hold"):
        op.drop_column("referral", name)
