"""The address book, messages and alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("concern_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("severity", sa.String(40), nullable=False),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("escalates_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(120), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("concern_id", name="pk_alert"),
    )
    op.create_index("ix_alert_acknowledged_at", "alert", ["acknowledged_at"])
    op.create_index("ix_alert_referral_id", "alert", ["referral_id"])
    op.create_table(
        "client",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.Column("contact_sequence", sa.Integer(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("referral_id", name="pk_client"),
    )
    op.create_table(
        "data_key",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name="pk_data_key"),
    )
    op.create_table(
        "inbox",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_handled_at", "inbox", ["handled_at"])
    op.create_table(
        "latest_fact",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "topic", name="pk_latest_fact"),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("business_key", sa.String(160), nullable=False),
        sa.Column("template", sa.String(40), nullable=False),
        sa.Column("recipient", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("therapist_id", sa.Uuid(), nullable=True),
        sa.Column("concern_id", sa.Uuid(), nullable=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(40), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("business_key", name="uq_message_business_key"),
    )
    op.create_index("ix_message_concern_id", "message", ["concern_id"])
    op.create_index("ix_message_referral_id", "message", ["referral_id"])
    op.create_index("ix_message_therapist_id", "message", ["therapist_id"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange", sa.String(100), nullable=False),
        sa.Column("routing_key", sa.String(100), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_table(
        "subject_sequence",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name="pk_subject_sequence"),
    )
    op.create_table(
        "therapist",
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=False),
        sa.Column("contact_sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("therapist_id", name="pk_therapist"),
    )
    op.create_table(
        "timer",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "key", name="pk_timer"),
    )
    op.create_index("ix_timer_due_at", "timer", ["due_at"])


def downgrade() -> None:
    op.drop_index("ix_timer_due_at", table_name="timer")
    op.drop_table("timer")
    op.drop_table("therapist")
    op.drop_table("subject_sequence")
    op.drop_table("outbox")
    op.drop_index("ix_message_therapist_id", table_name="message")
    op.drop_index("ix_message_referral_id", table_name="message")
    op.drop_index("ix_message_concern_id", table_name="message")
    op.drop_table("message")
    op.drop_table("latest_fact")
    op.drop_index("ix_inbox_handled_at", table_name="inbox")
    op.drop_table("inbox")
    op.drop_table("data_key")
    op.drop_table("client")
    op.drop_index("ix_alert_referral_id", table_name="alert")
    op.drop_index("ix_alert_acknowledged_at", table_name="alert")
    op.drop_table("alert")
