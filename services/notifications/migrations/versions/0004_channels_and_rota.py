"""Wordings, the timer that reads what came back, whom alerts have reached, the rota, and what was decided."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from chassis.store.tables import Instant

revision = "0004"
down_revision = "0003"

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""Long past: a timer of that time fires at the next start, and sets itself again."""


def upgrade() -> None:
    op.add_column("message", sa.Column("wording", sa.String(64), nullable=True))
    op.add_column("alert", sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE alert SET reached_at = (SELECT min(settled_at) FROM message "
        "WHERE message.concern_id = alert.concern_id AND message.state = 'sent')"
    )
    _create_rota()
    first = {"name": "read_bounces", "key": "folder", "due_at": BEGINNING, "data": {}, "attempts": 0}
    op.bulk_insert(_timer(), [first])


def downgrade() -> None:
    op.execute("DELETE FROM timer WHERE name = 'read_bounces'")
    for table in ("leave", "duty", "staff", "concern_outcome"):
        op.drop_table(table)
    op.drop_column("alert", "reached_at")
    op.drop_column("message", "wording")


def _create_rota() -> None:
    op.create_table(
        "concern_outcome",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("concern_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("decided_by", sa.String(120), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_concern_outcome"),
    )
    op.create_index("ix_concern_outcome_concern_id", "concern_outcome", ["concern_id"])
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
    )
    period = ("starts_on", "ends_on")
    op.create_table(
        "duty",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        *(sa.Column(name, sa.Date(), nullable=False) for name in period),
        sa.Column("bank_holidays", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_duty"),
    )
    op.create_table(
        "leave",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Date(), nullable=False) for name in period),
        sa.PrimaryKeyConstraint("id", name="pk_leave"),
    )
    for table in ("duty", "leave"):
        op.create_index(f"ix_{table}_ends_on", table, ["ends_on"])


def _timer() -> sa.TableClause:
    return sa.table(
        "timer",
        sa.column("name", sa.String),
        sa.column("key", sa.String),
        sa.column("due_at", Instant),
        sa.column("data", sa.JSON),
        sa.column("attempts", sa.Integer),
    )
