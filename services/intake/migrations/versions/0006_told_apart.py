"""Pairs of requests that a person has told apart, and marks for the requests from before there were any."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from chassis.store.tables import Instant

revision = "0006"
down_revision = "0005"

TIMER = sa.table(
    "timer",
    sa.column("name", sa.String),
    sa.column("key", sa.String),
    sa.column("due_at", Instant),
    sa.column("data", sa.JSON),
    sa.column("attempts", sa.Integer),
)


def upgrade() -> None:
    op.create_table(
        "told_apart",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_told_apart_referral_id_referral")),
        sa.ForeignKeyConstraint(["other_id"], ["referral.id"], name=op.f("fk_told_apart_other_id_referral")),
        sa.PrimaryKeyConstraint("referral_id", "other_id", name=op.f("pk_told_apart")),
    )
    op.create_index(op.f("ix_told_apart_other_id"), "told_apart", ["other_id"], unique=False)
    row = {"name": "mark_older", "key": "once", "due_at": datetime.now(UTC), "data": {}, "attempts": 0}
    op.bulk_insert(TIMER, [row])


def downgrade() -> None:
    op.execute(TIMER.delete().where(TIMER.c.name == "mark_older"))
    op.drop_table("told_apart")
