"""SQLite refuses to replace an audit entry too, which deleted the old one past the triggers."""

from __future__ import annotations

from alembic import op

from chassis.audit.store import FORBIDDING_REPLACEMENT

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for statement in FORBIDDING_REPLACEMENT[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_entry_no_replace")
