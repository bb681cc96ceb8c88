"""What is listed, and the archive of events that it is made from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from chassis.store.migrations import chassis_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "archived_event",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("publisher", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=100), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_archived_event")),
    )
    op.create_index(op.f("ix_archived_event_event_id"), "archived_event", ["event_id"], unique=True)
    op.create_index("ix_archived_event_of_referral", "archived_event", ["referral_id", "position"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_attempt")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=120), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_subject_id"), "audit_entry", ["subject_id"], unique=False)
    op.create_table(
        "concern",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("severity", sa.String(length=40), nullable=True),
        sa.Column("category", sa.String(length=40), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("step", sa.String(length=40), nullable=True),
        sa.Column("climbed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concern")),
    )
    op.create_index(op.f("ix_concern_referral_id"), "concern", ["referral_id"], unique=False)
    op.create_table(
        "erased_referral",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("referral_id", name=op.f("pk_erased_referral")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "inbox",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_inbox")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange", sa.String(length=100), nullable=False),
        sa.Column("routing_key", sa.String(length=100), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_table(
        "queue_count",
        sa.Column("queue", sa.String(length=40), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_queue_count")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "queue_item",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("queue", sa.String(length=40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("assigned_to", sa.Uuid(), nullable=True),
        sa.Column("client_group", sa.String(length=40), nullable=True),
        sa.Column("risk_level", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_queue_item")),
    )
    op.create_index("ix_queue_item_by_due", "queue_item", ["queue", "due_by", "subject_id"], unique=False)
    op.create_index("ix_queue_item_by_since", "queue_item", ["queue", "since", "subject_id"], unique=False)
    op.create_index("ix_queue_item_of_account", "queue_item", ["assigned_to", "queue"], unique=False)
    op.create_index(op.f("ix_queue_item_referral_id"), "queue_item", ["referral_id"], unique=False)
    op.create_table(
        "received_command",
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("who", sa.String(length=120), nullable=False),
        sa.Column("command", sa.String(length=60), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("command_id", name=op.f("pk_received_command")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "referral",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=True),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("assess_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("needs_safeguarding_lead", sa.Boolean(), nullable=False),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("assigned_to", sa.Uuid(), nullable=True),
        sa.Column("assigned_by_hand", sa.Boolean(), nullable=False),
        sa.Column("received_number", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("route", sa.String(length=40), nullable=True),
        sa.Column("client_group", sa.String(length=40), nullable=True),
        sa.Column("age_band", sa.String(length=40), nullable=True),
        sa.Column("local_authority", sa.String(length=9), nullable=True),
        sa.Column("language", sa.String(length=3), nullable=True),
        sa.Column("sessions", sa.String(length=40), nullable=True),
        sa.Column("previous_referral_id", sa.Uuid(), nullable=True),
        sa.Column("assessed_number", sa.Integer(), nullable=False),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("risk_level", sa.String(length=40), nullable=True),
        sa.Column("competence", sa.String(length=40), nullable=True),
        sa.Column("work", sa.String(length=40), nullable=True),
        sa.Column("matching_number", sa.Integer(), nullable=False),
        sa.Column("offers_made", sa.Integer(), nullable=False),
        sa.Column("offered_to", sa.Uuid(), nullable=True),
        sa.Column("offer_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offer_distance_km", sa.Float(), nullable=True),
        sa.Column("stalled_for", sa.String(length=64), nullable=True),
        sa.Column("match_id", sa.Uuid(), nullable=True),
        sa.Column("therapist_id", sa.Uuid(), nullable=True),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subsidy_number", sa.Integer(), nullable=False),
        sa.Column("subsidy", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
    )
    op.create_index(op.f("ix_referral_assigned_to"), "referral", ["assigned_to"], unique=False)
    op.create_table(
        "story",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=False),
        sa.Column("causation_id", sa.Uuid(), nullable=True),
        sa.Column("emitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_story")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_story_correlation_id"), "story", ["correlation_id"], unique=False)
    op.create_index(op.f("ix_story_referral_id"), "story", ["referral_id"], unique=False)
    op.create_table(
        "subject_sequence",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_subject_sequence")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "timer",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("counted_from", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", "key", name=op.f("pk_timer")),
    )
    op.create_index(op.f("ix_timer_due_at"), "timer", ["due_at"], unique=False)
    chassis_tables.forbid_changes("audit_entry", chassis_tables.WHY_AUDIT_STAYS)
    chassis_tables.forbid_replacing_audit_entries()


def downgrade() -> None:
    op.drop_index(op.f("ix_timer_due_at"), table_name="timer")
    op.drop_table("timer")
    op.drop_table("subject_sequence")
    op.drop_index(op.f("ix_story_referral_id"), table_name="story")
    op.drop_index(op.f("ix_story_correlation_id"), table_name="story")
    op.drop_table("story")
    op.drop_index(op.f("ix_referral_assigned_to"), table_name="referral")
    op.drop_table("referral")
    op.drop_table("received_command")
    op.drop_index(op.f("ix_queue_item_referral_id"), table_name="queue_item")
    op.drop_index("ix_queue_item_of_account", table_name="queue_item")
    op.drop_index("ix_queue_item_by_since", table_name="queue_item")
    op.drop_index("ix_queue_item_by_due", table_name="queue_item")
    op.drop_table("queue_item")
    op.drop_table("queue_count")
    op.drop_table("outbox")
    op.drop_table("inbox")
    op.drop_table("erased_referral")
    op.drop_index(op.f("ix_concern_referral_id"), table_name="concern")
    op.drop_table("concern")
    op.drop_index(op.f("ix_audit_entry_subject_id"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("attempt")
    op.drop_index("ix_archived_event_of_referral", table_name="archived_event")
    op.drop_index(op.f("ix_archived_event_event_id"), table_name="archived_event")
    op.drop_table("archived_event")
