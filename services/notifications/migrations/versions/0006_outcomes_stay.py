"""What was decided about a safeguarding concern is only ever added to, which the database itself sees to."""

from __future__ import annotations

from chassis.store.migrations import chassis_tables

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    chassis_tables.forbid_changes("concern_outcome", "outcomes of concerns are only ever added")


def downgrade() -> None:
    chassis_tables.allow_changes("concern_outcome")
