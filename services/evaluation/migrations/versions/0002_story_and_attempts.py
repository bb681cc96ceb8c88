"""The story of each referral, and messages that were begun and not ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import chassis.store.tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "attempt",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_at", chassis.store.tables.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_attempt")),
    )
    op.create_table(
        "story",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=False),
        sa.Column("causation_id", sa.Uuid(), nullable=True),
        sa.Column("emitted_at", chassis.store.tables.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_story")),
    )
    op.create_index(op.f("ix_story_correlation_id"), "story", ["correlation_id"], unique=False)
    op.create_index(op.f("ix_story_referral_id"), "story", ["referral_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_story_referral_id"), table_name="story")
    op.drop_index(op.f("ix_story_correlation_id"), table_name="story")
    op.drop_table("story")
    op.drop_table("attempt")
