"""The chassis's small tables without rowids and without an index that only the daily forgetting used."""

from __future__ import annotations

from chassis.store.migrations import chassis_tables

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    chassis_tables.drop_rowids()


def downgrade() -> None:
    chassis_tables.restore_rowids()
