"""Which wording each message went out in, and the timer that reads what came back."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

import chassis.store.tables

revision = "0004"
down_revision = "0003"

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""Long past: a timer of that time fires at the next start, and sets itself again."""


def upgrade() -> None:
    op.add_column("message", sa.Column("wording", sa.String(64), nullable=True))
    first = {"name": "read_bounces", "key": "folder", "due_at": BEGINNING, "data": {}, "attempts": 0}
    op.bulk_insert(_timer(), [first])


def downgrade() -> None:
    op.execute("DELETE FROM timer WHERE name = 'read_bounces'")
    op.drop_column("message", "wording")


def _timer() -> sa.TableClause:
    return sa.table(
        "timer",
        sa.column("name", sa.String),
        sa.column("key", sa.String),
        sa.column("due_at", chassis.store.tables.Instant),
        sa.column("data", sa.JSON),
        sa.column("attempts", sa.Integer),
    )
