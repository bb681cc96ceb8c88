"""Billing's tables as they begin, and the chassis's beside them.

Written out, not taken from the code of the day, so that this migration always makes what it made when it was released.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
CODE = sa.String(40)


def upgrade() -> None:
    _create_inbox()
    _create_outbox()
    _create_subject_sequence()
    _create_timer()
    _create_fund()
    _create_journal()
    _create_referral()
    _create_therapist()
    _create_award()
    _create_entry()
    _create_match()
    _create_subsidy_waiting_list()
    _create_attended_session()
    _create_invoice()
    _create_credit_note()
    _create_membership()
    _create_payment()


def downgrade() -> None:
    for table in (
        "payment",
        "membership",
        "credit_note",
        "invoice",
        "attended_session",
        "subsidy_waiting_list",
        "match",
        "entry",
        "award",
        "therapist",
        "referral",
        "journal",
        "fund",
        "timer",
        "subject_sequence",
        "outbox",
        "inbox",
    ):
        op.drop_table(table)


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("handled_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_handled_at", "inbox", ["handled_at"])


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange", sa.String(100), nullable=False),
        sa.Column("routing_key", sa.String(100), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )


def _create_subject_sequence() -> None:
    op.create_table(
        "subject_sequence",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name="pk_subject_sequence"),
    )


def _create_timer() -> None:
    op.create_table(
        "timer",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "key", name="pk_timer"),
    )
    op.create_index("ix_timer_due_at", "timer", ["due_at"])


def _create_fund() -> None:
    op.create_table(
        "fund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("opened_pence", sa.Integer(), nullable=False),
        sa.Column("available_pence", sa.Integer(), nullable=False),
        sa.Column("committed_pence", sa.Integer(), nullable=False),
        sa.Column("drawn_pence", sa.Integer(), nullable=False),
        sa.Column("awards_made", sa.Integer(), nullable=False),
        sa.Column("session_cap_pence", sa.Integer()),
        sa.Column("sessions_per_award", sa.Integer()),
        sa.Column("client_cap_pence", sa.Integer()),
        sa.Column("max_awards", sa.Integer()),
        sa.CheckConstraint(
            "available_pence + committed_pence + drawn_pence = opened_pence", name=op.f("ck_fund_conserved")
        ),
        sa.CheckConstraint("available_pence >= 0", name=op.f("ck_fund_available_pence")),
        sa.CheckConstraint(
            "awards_made >= 0 AND (max_awards IS NULL OR awards_made <= max_awards)", name=op.f("ck_fund_awards_made")
        ),
        sa.CheckConstraint("committed_pence >= 0", name=op.f("ck_fund_committed_pence")),
        sa.CheckConstraint("drawn_pence >= 0", name=op.f("ck_fund_drawn_pence")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_fund_dates")),
        sa.PrimaryKeyConstraint("id", name="pk_fund"),
        sa.UniqueConstraint("name", name="uq_fund_name"),
    )


def _create_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", CODE, nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("posted_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
        sa.UniqueConstraint("kind", "source_id", name="uq_journal_kind"),
    )


def _create_referral() -> None:
    op.create_table(
        "referral",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("client_group", CODE, nullable=False),
        sa.Column("police_force_area", sa.String(64)),
        sa.Column("local_authority", sa.String(16)),
        sa.Column("area_confirmed", sa.Boolean(), nullable=False),
        sa.Column("fee_ceiling_pence", sa.Integer()),
        sa.Column("subsidy_requested", sa.Boolean(), nullable=False),
        sa.Column("received_sequence", sa.Integer(), nullable=False),
        sa.Column("assessed_at", INSTANT),
        sa.Column("ending", CODE),
        sa.Column("ending_sequence", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_referral"),
    )


def _create_therapist() -> None:
    op.create_table(
        "therapist",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("known_since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_therapist"),
    )


def _create_award() -> None:
    op.create_table(
        "award",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("fund_id", sa.Uuid(), nullable=False),
        sa.Column("pence_per_session", sa.Integer(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("sessions_used", sa.Integer(), nullable=False),
        sa.Column("committed_pence", sa.Integer(), nullable=False),
        sa.Column("drawn_pence", sa.Integer(), nullable=False),
        sa.Column("released_pence", sa.Integer(), nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.Column("approved_at", INSTANT, nullable=False),
        sa.CheckConstraint("drawn_pence + released_pence <= committed_pence", name=op.f("ck_award_conserved")),
        sa.CheckConstraint("drawn_pence >= 0 AND released_pence >= 0", name=op.f("ck_award_parts")),
        sa.CheckConstraint("pence_per_session > 0", name=op.f("ck_award_pence_per_session")),
        sa.CheckConstraint(
            "sessions > 0 AND sessions_used >= 0 AND sessions_used <= sessions", name=op.f("ck_award_sessions")
        ),
        sa.ForeignKeyConstraint(["fund_id"], ["fund.id"], name="fk_award_fund_id_fund"),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name="fk_award_referral_id_referral"),
        sa.PrimaryKeyConstraint("id", name="pk_award"),
    )
    op.create_index("ix_award_fund_id", "award", ["fund_id"])
    op.create_index("ix_award_referral_id", "award", ["referral_id"])
    op.create_index(
        "uq_award_held_referral_id",
        "award",
        ["referral_id"],
        unique=True,
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )


def _create_entry() -> None:
    op.create_table(
        "entry",
        sa.Column("journal_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("account", CODE, nullable=False),
        sa.Column("therapist_id", sa.Uuid()),
        sa.Column("fund_id", sa.Uuid()),
        sa.Column("pence", sa.Integer(), nullable=False),
        sa.CheckConstraint("pence <> 0", name=op.f("ck_entry_pence")),
        sa.ForeignKeyConstraint(["fund_id"], ["fund.id"], name="fk_entry_fund_id_fund"),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"], name="fk_entry_journal_id_journal"),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapist.id"], name="fk_entry_therapist_id_therapist"),
        sa.PrimaryKeyConstraint("journal_id", "line", name="pk_entry"),
    )
    op.create_index("ix_entry_therapist_id", "entry", ["therapist_id"])


def _create_match() -> None:
    op.create_table(
        "match",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        sa.Column("matched_at", INSTANT, nullable=False),
        sa.Column("session_fee_pence", sa.Integer(), nullable=False),
        sa.Column("end_reason", CODE),
        sa.CheckConstraint("session_fee_pence >= 0", name=op.f("ck_match_session_fee_pence")),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name="fk_match_referral_id_referral"),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapist.id"], name="fk_match_therapist_id_therapist"),
        sa.PrimaryKeyConstraint("id", name="pk_match"),
    )
    op.create_index("ix_match_referral_id", "match", ["referral_id"])


def _create_subsidy_waiting_list() -> None:
    op.create_table(
        "subsidy_waiting_list",
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("reason", CODE),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name="fk_subsidy_waiting_list_referral_id_referral"),
        sa.PrimaryKeyConstraint("referral_id", name="pk_subsidy_waiting_list"),
    )
    op.create_index("ix_subsidy_waiting_list_asked_at", "subsidy_waiting_list", ["asked_at"])


def _create_attended_session() -> None:
    op.create_table(
        "attended_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("attended_on", sa.Date(), nullable=False),
        sa.Column("award_id", sa.Uuid()),
        sa.Column("drawn_pence", sa.Integer(), nullable=False),
        sa.CheckConstraint("drawn_pence >= 0", name=op.f("ck_attended_session_drawn_pence")),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"], name="fk_attended_session_award_id_award"),
        sa.ForeignKeyConstraint(["match_id"], ["match.id"], name="fk_attended_session_match_id_match"),
        sa.PrimaryKeyConstraint("id", name="pk_attended_session"),
        sa.UniqueConstraint("match_id", "attended_on", name="uq_attended_session_match_id"),
    )


def _create_invoice() -> None:
    op.create_table(
        "invoice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        sa.Column("kind", CODE, nullable=False),
        sa.Column("amount_pence", sa.Integer(), nullable=False),
        sa.Column("paid_pence", sa.Integer(), nullable=False),
        sa.Column("credited_pence", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("membership_from", sa.Date()),
        sa.Column("referral_id", sa.Uuid()),
        sa.Column("match_id", sa.Uuid()),
        sa.Column("reminded_on", sa.Date()),
        sa.CheckConstraint("amount_pence > 0", name=op.f("ck_invoice_amount_pence")),
        sa.CheckConstraint(
            "credited_pence >= 0 AND credited_pence <= amount_pence", name=op.f("ck_invoice_credited_pence")
        ),
        sa.CheckConstraint("paid_pence >= 0 AND paid_pence <= amount_pence", name=op.f("ck_invoice_paid_pence")),
        sa.ForeignKeyConstraint(["match_id"], ["match.id"], name="fk_invoice_match_id_match"),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name="fk_invoice_referral_id_referral"),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapist.id"], name="fk_invoice_therapist_id_therapist"),
        sa.PrimaryKeyConstraint("id", name="pk_invoice"),
        sa.UniqueConstraint("match_id", name="uq_invoice_match_id"),
        sa.UniqueConstraint("therapist_id", "membership_from", name="uq_invoice_therapist_id"),
    )


def _create_credit_note() -> None:
    op.create_table(
        "credit_note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("amount_pence", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.CheckConstraint("amount_pence > 0", name=op.f("ck_credit_note_amount_pence")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_credit_note_invoice_id_invoice"),
        sa.PrimaryKeyConstraint("id", name="pk_credit_note"),
        sa.UniqueConstraint("invoice_id", name="uq_credit_note_invoice_id"),
    )


def _create_membership() -> None:
    op.create_table(
        "membership",
        sa.Column("therapist_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("state", CODE, nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_membership_invoice_id_invoice"),
        sa.ForeignKeyConstraint(["therapist_id"], ["therapist.id"], name="fk_membership_therapist_id_therapist"),
        sa.PrimaryKeyConstraint("therapist_id", name="pk_membership"),
    )


def _create_payment() -> None:
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("amount_pence", sa.Integer(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.CheckConstraint("amount_pence > 0", name=op.f("ck_payment_amount_pence")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_payment_invoice_id_invoice"),
        sa.PrimaryKeyConstraint("id", name="pk_payment"),
        sa.UniqueConstraint("invoice_id", "reference", name="uq_payment_invoice_id"),
    )
