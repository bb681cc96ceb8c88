"""SQLite refuses to replace an audit entry too, which deleted the old one past the triggers."""

from __future__ import annotations

from chassis.store.migrations import chassis_tables

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    chassis_tables.forbid_replacing_audit_entries()


def downgrade() -> None:
    chassis_tables.allow_replacing_audit_entries()
