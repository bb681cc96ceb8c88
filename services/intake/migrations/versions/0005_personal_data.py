"""The audit log, which the database itself refuses to change; erasures and legal holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.migrations import chassis_tables

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    chassis_tables.add_audit_log()
    op.create_table(
        "erasure",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("overdue_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_erasure_referral_id_referral")),
        sa.PrimaryKeyConstraint("referral_id", name=op.f("pk_erasure")),
    )
    op.create_index(op.f("ix_erasure_erased_at"), "erasure", ["erased_at"], unique=False)
    op.create_table(
        "erasure_confirmation",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["referral_id"], ["referral.id"], name=op.f("fk_erasure_confirmation_referral_id_referral")
        ),
        sa.PrimaryKeyConstraint("referral_id", "service", name=op.f("pk_erasure_confirmation")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("placed_by", sa.String(length=120), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lift_reason", sa.String(length=40), nullable=True),
        sa.Column("lifted_by", sa.String(length=120), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_legal_hold_referral_id_referral")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index(op.f("ix_legal_hold_referral_id"), "legal_hold", ["referral_id"], unique=False)


def downgrade() -> None:
    for table in ("legal_hold", "erasure_confirmation", "erasure"):
        op.drop_table(table)
    chassis_tables.drop_audit_log()
