"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_inbox")),
    )
    op.create_index(op.f("ix_inbox_handled_at"), "inbox", ["handled_at"], unique=False)
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
        "referral",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_group", sa.String(length=40), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("language", sa.String(length=3), nullable=False),
        sa.Column("sessions", sa.String(length=40), nullable=False),
        sa.Column("max_distance_km", sa.Float(), nullable=False),
        sa.Column("fee_ceiling_pence", sa.Integer(), nullable=True),
        sa.Column("subsidy", sa.String(length=40), nullable=False),
        sa.Column("subsidy_pence_per_session", sa.Integer(), nullable=False),
        sa.Column("billing_sequence", sa.Integer(), nullable=False),
        sa.Column("competence", sa.String(length=40), nullable=True),
        sa.Column("work", sa.String(length=40), nullable=True),
        sa.Column("therapist_sex", sa.String(length=40), nullable=True),
        sa.Column("wheelchair_access", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("offers_made", sa.Integer(), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_for", sa.String(length=40), nullable=True),
        sa.Column("match_id", sa.Uuid(), nullable=True),
        sa.Column("therapist_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
    )
    op.create_index(op.f("ix_referral_state"), "referral", ["state", "waiting_since"], unique=False)
    op.create_table(
        "subject_sequence",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_subject_sequence")),
    )
    op.create_table(
        "therapist",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("competence", sa.String(length=40), nullable=False),
        sa.Column("client_groups", sa.JSON(), nullable=False),
        sa.Column("couple_work", sa.Boolean(), nullable=False),
        sa.Column("outward_code", sa.String(length=4), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("sessions", sa.String(length=40), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("session_fee_pence", sa.Integer(), nullable=False),
        sa.Column("sex", sa.String(length=40), nullable=False),
        sa.Column("wheelchair_access", sa.Boolean(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("places_held", sa.Integer(), nullable=False),
        sa.Column("suspensions", sa.JSON(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("membership_sequence", sa.Integer(), nullable=False),
        sa.CheckConstraint("places_held >= 0 AND places >= 0", name=op.f("ck_therapist_places_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_therapist")),
    )
    op.create_index(op.f("ix_therapist_latitude"), "therapist", ["latitude", "longitude"], unique=False)
    op.create_table(
        "timer",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "key", name=op.f("pk_timer")),
    )
    op.create_index(op.f("ix_timer_due_at"), "timer", ["due_at"], unique=False)
    op.create_table(
        "match",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_match_referral_id_referral")),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapist.id"], name=op.f("fk_match_therapist_id_therapist")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match")),
    )
    op.create_index(op.f("ix_match_therapist_id"), "match", ["therapist_id"], unique=False)
    op.create_index(
        "uq_match_live_referral",
        "match",
        ["referral_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("distance_km", sa.Float(), nullable=False),
        sa.Column("sessions", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_offer_referral_id_referral")),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapist.id"], name=op.f("fk_offer_therapist_id_therapist")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    op.create_index(op.f("ix_offer_referral_id"), "offer", ["referral_id"], unique=False)
    op.create_index(op.f("ix_offer_state"), "offer", ["state"], unique=False)
    op.create_index(op.f("ix_offer_therapist_id"), "offer", ["therapist_id"], unique=False)
    op.create_index(
        "uq_offer_open_referral",
        "offer",
        ["referral_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_offer_open_referral",
        table_name="offer",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index(op.f("ix_offer_therapist_id"), table_name="offer")
    op.drop_index(op.f("ix_offer_state"), table_name="offer")
    op.drop_index(op.f("ix_offer_referral_id"), table_name="offer")
    op.drop_table("offer")
    op.drop_index(
        "uq_match_live_referral",
        table_name="match",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index(op.f("ix_match_therapist_id"), table_name="match")
    op.drop_table("match")
    op.drop_index(op.f("ix_timer_due_at"), table_name="timer")
    op.drop_table("timer")
    op.drop_index(op.f("ix_therapist_latitude"), table_name="therapist")
    op.drop_table("therapist")
    op.drop_table("subject_sequence")
    op.drop_index(op.f("ix_referral_state"), table_name="referral")
    op.drop_table("referral")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_inbox_handled_at"), table_name="inbox")
    op.drop_table("inbox")
