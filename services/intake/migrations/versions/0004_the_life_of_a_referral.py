"""The steps of a referral's life, and what its newer states need to know."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

import chassis.store.tables

revision = "0004"
down_revision = "0003"


def new_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("passphrase_subject", sa.Uuid(), nullable=True),
        sa.Column("state_before", sa.String(length=40), nullable=True),
        sa.Column("steps_taken", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("place", sa.String(length=40), nullable=False, server_default="found"),
        sa.Column("young", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("lead_signed", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("previous_id", sa.Uuid(), nullable=True),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column("attended_match_id", sa.Uuid(), nullable=True),
    ]


def upgrade() -> None:
    for column in new_columns():
        op.add_column("referral", column)
    op.create_table(
        "referral_step",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("taken_at", chassis.store.tables.Instant(timezone=True), nullable=False),
        sa.Column("taken_by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_referral_step_referral_id_referral")),
        sa.PrimaryKeyConstraint("referral_id", "number", name=op.f("pk_referral_step")),
    )
    op.execute("UPDATE referral SET young = true WHERE client_group = 'young_person'")
    # What else they did before their steps were kept is in no table: their history begins with the state they are in.
    op.execute(
        "INSERT INTO referral_step (referral_id, number, step, state, taken_at, taken_by) "
        "SELECT id, 1, 'receive', state, received_at, 'client' FROM referral"
    )


def downgrade() -> None:
    op.drop_table("referral_step")
    for column in new_columns():
        op.drop_column("referral", column.name)
