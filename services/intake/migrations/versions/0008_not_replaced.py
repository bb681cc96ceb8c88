"""A referral's steps are only ever added to, which the database itself sees to; and SQLite refuses to replace
an audit entry too, which deleted the old one past the triggers."""

from __future__ import annotations

from alembic import op

from chassis.audit.store import FORBIDDING_REPLACEMENT
from services.intake.store.tables import STEPS_FORBIDDING, STEPS_FORBIDDING_REPLACEMENT

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for each in (FORBIDDING_REPLACEMENT, STEPS_FORBIDDING, STEPS_FORBIDDING_REPLACEMENT):
        for statement in each[dialect]:
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER referral_step_no_change ON referral_step")
        return
    for trigger in ("audit_entry_no_replace", *(f"referral_step_no_{one}" for one in ("update", "delete", "replace"))):
        op.execute(f"DROP TRIGGER {trigger}")
