"""The steps of a referral's life, and what its newer states need to know."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


ASSESSED = (
    "risk_level",
    "competence",
    "work",
    "suggested_risk_level",
    "suggested_competence",
    "suggested_work",
    "suggestion",
    "override_reason",
)


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
        sa.Column("billing_sequence", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attended_match_id", sa.Uuid(), nullable=True),
    ]


def upgrade() -> None:
    for column in new_columns():
        op.add_column("referral", column)
    for name in ASSESSED:
        op.add_column("assessment", sa.Column(name, sa.String(length=40), nullable=True))
    op.add_column("assessment", sa.Column("policy_version", sa.Integer(), nullable=True))
    op.create_table(
        "referral_step",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_referral_step_referral_id_referral")),
        sa.PrimaryKeyConstraint("referral_id", "number", name=op.f("pk_referral_step")),
    )
    op.create_table(
        "identity_mark",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["referral_id"],
            ["data_key.subject_id"],
            name=op.f("fk_identity_mark_referral_id_data_key"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("referral_id", "kind", name=op.f("pk_identity_mark")),
    )
    op.create_index(op.f("ix_identity_mark_mark"), "identity_mark", ["mark"], unique=False)
    op.create_table(
        "possible_duplicate",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [name],
                ["data_key.subject_id"],
                name=op.f(f"fk_possible_duplicate_{name}_data_key"),
                ondelete="CASCADE",
            )
            for name in ("referral_id", "other_id")
        ),
        sa.PrimaryKeyConstraint("referral_id", "other_id", "kind", name=op.f("pk_possible_duplicate")),
    )
    for name in ("other_id", "found_at"):
        op.create_index(op.f(f"ix_possible_duplicate_{name}"), "possible_duplicate", [name], unique=False)
    op.create_table(
        "link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("linked_by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(length=120), nullable=True),
        sa.Column("undone_reason", sa.String(length=40), nullable=True),
        *(
            sa.ForeignKeyConstraint([name], ["referral.id"], name=op.f(f"fk_link_{name}_referral"))
            for name in ("referral_id", "other_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
    )
    for name in ("referral_id", "other_id"):
        op.create_index(op.f(f"ix_link_{name}"), "link", [name], unique=False)
    op.execute("UPDATE referral SET young = true WHERE client_group = 'young_person'")
    # What else they did before their steps were kept is in no table: their history begins with the state they are in.
    op.execute(
        "INSERT INTO referral_step (referral_id, number, step, state, taken_at, taken_by) "
        "SELECT id, 1, 'receive', state, received_at, 'client' FROM referral"
    )


def downgrade() -> None:
    for table in ("link", "possible_duplicate", "identity_mark", "referral_step"):
        op.drop_table(table)
    for name in (*ASSESSED, "policy_version"):
        op.drop_column("assessment", name)
    for column in new_columns():
        op.drop_column("referral", column.name)
