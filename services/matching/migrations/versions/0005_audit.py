"""The audit log, which the database itself refuses to change."""

from __future__ import annotations

from chassis.store.migrations import chassis_tables

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    chassis_tables.add_audit_log()


def downgrade() -> None:
    chassis_tables.drop_audit_log()
