"""The story of each referral, and messages that were begun and not ended."""

from __future__ import annotations

from chassis.store.migrations import chassis_tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    chassis_tables.add_story_and_attempts()


def downgrade() -> None:
    chassis_tables.drop_story_and_attempts()
