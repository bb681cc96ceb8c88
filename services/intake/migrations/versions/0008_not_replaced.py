"""A referral's steps are only ever added to, which the database itself sees to; and SQLite refuses to replace
an audit entry too, which deleted the old one past the triggers."""

from __future__ import annotations

from chassis.store.migrations import chassis_tables

revision = "0008"
down_revision = "0007"

WHY = "steps of a referral are only ever added"


def upgrade() -> None:
    chassis_tables.forbid_replacing_audit_entries()
    chassis_tables.forbid_changes("referral_step", WHY)
    chassis_tables.forbid_replacement("referral_step", WHY, ("referral_id", "number"))


def downgrade() -> None:
    chassis_tables.allow_replacement("referral_step")
    chassis_tables.allow_changes("referral_step")
    chassis_tables.allow_replacing_audit_entries()
