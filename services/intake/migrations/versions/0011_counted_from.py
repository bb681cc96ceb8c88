"""From when a timer counts, so that one set while the clock was ahead is told once that has been put right."""

from __future__ import annotations

from chassis.store.migrations import chassis_tables

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    chassis_tables.add_counted_from()


def downgrade() -> None:
    chassis_tables.drop_counted_from()
