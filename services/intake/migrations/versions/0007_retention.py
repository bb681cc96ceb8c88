"""What ties a person's referrals together, and a date for what was asked before there were any."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TIES = ("merged_into", "previous_id")


def upgrade() -> None:
    for tie in TIES:
        some = sa.column(tie).is_not(None)
        op.create_index(op.f(f"ix_referral_{tie}"), "referral", [tie], sqlite_where=some, postgresql_where=some)
    _look_at_all()


def _look_at_all() -> None:
    """Sets every person's timer for now: when it fires the date is reckoned, and the timer set for that."""
    referral = sa.table("referral", sa.column("id", sa.Uuid()), sa.column("state"))
    timer = sa.table(
        "timer",
        sa.column("name"),
        sa.column("key"),
        sa.column("due_at", sa.DateTime(timezone=True)),
        sa.column("data", sa.JSON()),
        sa.column("attempts"),
    )
    held = op.get_bind().execute(sa.select(referral.c.id).where(referral.c.state != "erased")).scalars()
    due = {"name": "retention", "due_at": datetime.now(UTC), "data": {}, "attempts": 0}
    rows = [{**due, "key": str(one)} for one in held]
    if rows:
        op.bulk_insert(timer, rows)


def downgrade() -> None:
    op.execute("DELETE FROM timer WHERE name = 'retention'")
    for tie in TIES:
        op.drop_index(op.f(f"ix_referral_{tie}"), table_name="referral")
