"""What was decided about a safeguarding concern is only ever added to, which the database itself sees to."""

from __future__ import annotations

from alembic import op

from services.notifications.store.tables import OUTCOMES_FORBIDDING

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for statement in OUTCOMES_FORBIDDING[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER concern_outcome_no_change ON concern_outcome")
        return
    for change in ("update", "delete"):
        op.execute(f"DROP TRIGGER concern_outcome_no_{change}")
