"""Introductions: what a therapist may see of a client, by which links and codes, and how the therapy goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "introduction",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.Column("contact_sequence", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(32), nullable=True),
        sa.Column("code_made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("referral_id", "therapist_id", name=op.f("pk_introduction")),
    )
    _of_a_secret("introduction_link", "token_hash", "made_at")
    _of_a_secret("introduction_right", "right_hash", "until")
    op.create_table(
        "therapy",
        sa.Column("match_id", sa.Uuid(), primary_key=True),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_sequence", sa.Integer(), nullable=False),
        sa.Column("first_session_on", sa.Date(), nullable=True),
        sa.Column("attendance_sequence", sa.Integer(), nullable=False),
        sa.Column("contact_made_on", sa.Date(), nullable=True),
        sa.Column("not_attended", sa.Boolean(), nullable=False),
    )
    op.create_index(op.f("ix_therapy_referral_id"), "therapy", ["referral_id"])
    op.create_table(
        "therapist_suspension",
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("therapist_id", "reason", name=op.f("pk_therapist_suspension")),
    )


def _of_a_secret(table: str, hashed: str, when: str) -> None:
    op.create_table(
        table,
        sa.Column(hashed, sa.LargeBinary(32), primary_key=True),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        sa.Column(when, sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index(op.f(f"ix_{table}_referral_id"), table, ["referral_id"])


def downgrade() -> None:
    for table in ("therapist_suspension", "therapy", "introduction_right", "introduction_link", "introduction"):
        op.drop_table(table)
