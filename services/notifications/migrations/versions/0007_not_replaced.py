"""SQLite refuses to replace an audit entry or an outcome too, which deleted the old one past the triggers."""

from __future__ import annotations

from chassis.store.migrations import chassis_tables

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    chassis_tables.forbid_replacing_audit_entries()
    chassis_tables.forbid_replacement("concern_outcome", "outcomes of concerns are only ever added", ("id",))


def downgrade() -> None:
    chassis_tables.allow_replacement("concern_outcome")
    chassis_tables.allow_replacing_audit_entries()
