"""SQLite refuses to replace an audit entry or an outcome too, which deleted the old one past the triggers."""

from __future__ import annotations

from alembic import op

from chassis.audit.store import FORBIDDING_REPLACEMENT
from services.notifications.store.tables import OUTCOMES_FORBIDDING_REPLACEMENT

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in (*FORBIDDING_REPLACEMENT[dialect], *OUTCOMES_FORBIDDING_REPLACEMENT[dialect]):
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in ("audit_entry", "concern_outcome"):
            op.execute(f"DROP TRIGGER {table}_no_replace")
