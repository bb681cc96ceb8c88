"""Billing's tables, and which aggregates are mapped to them. Business keys are permanent unique constraints.

The inbox forgets a message after some weeks; these keys don't, so a fact replayed years later still changes nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    false,
    text,
    true,
)
from sqlalchemy.orm import registry

from chassis.store.tables import Instant, code, new_metadata
from contracts.vocabulary import (
    ClientGroup,
    FundPurpose,
    MatchEndReason,
    SubsidyWaitReason,
)
from services.billing.domain.awards import Award, AwardState
from services.billing.domain.fees import Ending
from services.billing.domain.funds import Fund, Terms
from services.billing.domain.invoices import Invoice, InvoiceKind
from services.billing.domain.ledger import AccountKind, JournalKind
from services.billing.domain.matches import AttendedSession, Match
from services.billing.domain.membership import Membership, MembershipState
from services.billing.domain.payments import Payment
from services.billing.domain.referrals import Referral
from services.billing.domain.therapists import Therapist
from services.billing.domain.waiting_list import WaitingListEntry

metadata = new_metadata()


mapped = registry(metadata=metadata)


class TermsColumn(TypeDecorator[tuple[Terms, ...]]):
    """A fund's terms as JSON. They never change once the fund is open."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: tuple[Terms, ...] | None, dialect: Dialect) -> Any:
        return [_terms_to_json(terms) for terms in value or ()]

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[Terms, ...]:
        return tuple(map(_terms_from_json, value))


def _terms_to_json(terms: Terms) -> dict[str, Any]:
    return {
        "purpose": terms.purpose.value,
        "client_groups": sorted(group.value for group in terms.client_groups),
        "police_force_areas": sorted(terms.police_force_areas),
        "local_authorities": sorted(terms.local_authorities),
    }


def _terms_from_json(data: dict[str, Any]) -> Terms:
    return Terms(
        purpose=FundPurpose(data["purpose"]),
        client_groups=frozenset(map(ClientGroup, data["client_groups"])),
        police_force_areas=frozenset(data["police_force_areas"]),
        local_authorities=frozenset(data["local_authorities"]),
    )


referral_table = Table(
    "referral",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("received_at", Instant, nullable=False),
    Column("client_group", code(ClientGroup), nullable=False),
    Column("police_force_area", String(64)),
    Column("local_authority", String(16)),
    Column("area_confirmed", Boolean, nullable=False),
    Column("fee_ceiling_pence", Integer),
    Column("subsidy_requested", Boolean, nullable=False),
    Column("received_sequence", Integer, nullable=False),
    Column("assessed_at", Instant),
    Column("ending", code(Ending)),
    Column("ending_sequence", Integer),
    Column("ended_at", Instant),
    Column("previous_id", Uuid, index=True),
    Column("merged_into_id", Uuid, index=True),
    Column("least_fee_pence", Integer),
)


therapist_table = Table(
    "therapist",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("known_since", Instant, nullable=False),
    Column("credit_pence", Integer, nullable=False, server_default="0"),
)


match_table = Table(
    "match",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), nullable=False),
    Column("matched_at", Instant, nullable=False),
    Column("session_fee_pence", Integer, nullable=False),
    Column("end_reason", code(MatchEndReason)),
    Column("ended_at", Instant),
    Column("attendance_asked_at", Instant),
    Column("never_attended_at", Instant),
    Column("never_attended_by", String(120)),
    Column("contact_made_on", Date),
    Column("session_reported_at", Instant),
    CheckConstraint("session_fee_pence >= 0", name="session_fee_pence"),
)


fund_table = Table(
    "fund",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("terms", TermsColumn, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("opened_pence", Integer, nullable=False),
    Column("available_pence", Integer, nullable=False),
    Column("committed_pence", Integer, nullable=False),
    Column("drawn_pence", Integer, nullable=False),
    Column("awards_made", Integer, nullable=False),
    Column("session_cap_pence", Integer),
    Column("sessions_per_award", Integer),
    Column("client_cap_pence", Integer),
    Column("max_awards", Integer),
    Column("further_awards", Boolean, nullable=False, server_default=false()),
    CheckConstraint("available_pence >= 0", name="available_pence"),
    CheckConstraint("committed_pence >= 0", name="committed_pence"),
    CheckConstraint("drawn_pence >= 0", name="drawn_pence"),
    CheckConstraint("available_pence + committed_pence + drawn_pence = opened_pence", name="conserved"),
    CheckConstraint("starts_on <= ends_on", name="dates"),
    CheckConstraint("awards_made >= 0 AND (max_awards IS NULL OR awards_made <= max_awards)", name="awards_made"),
)


award_table = Table(
    "award",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("fund_id", Uuid, ForeignKey("fund.id"), nullable=False, index=True),
    Column("pence_per_session", Integer, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("sessions_used", Integer, nullable=False),
    Column("committed_pence", Integer, nullable=False),
    Column("drawn_pence", Integer, nullable=False),
    Column("released_pence", Integer, nullable=False),
    Column("state", code(AwardState), nullable=False),
    Column("approved_at", Instant, nullable=False),
    Column("starts_on", Date, nullable=False, server_default="1970-01-01"),
    Column("pays_until", Date),
    Column("new_person", Boolean, nullable=False, server_default=true()),
    CheckConstraint("pence_per_session > 0", name="pence_per_session"),
    CheckConstraint("sessions > 0 AND sessions_used >= 0 AND sessions_used <= sessions", name="sessions"),
    CheckConstraint("drawn_pence >= 0 AND released_pence >= 0", name="parts"),
    CheckConstraint("drawn_pence + released_pence <= committed_pence", name="conserved"),
)


HELD = text(f"state = '{AwardState.HELD}'")


Index(
    "uq_award_held_referral_id",
    award_table.c.referral_id,
    unique=True,
    sqlite_where=HELD,
    postgresql_where=HELD,
)


waiting_table = Table(
    "subsidy_waiting_list",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("asked_at", Instant, nullable=False),
    Column("reason", code(SubsidyWaitReason)),
    Column("allowed_by", String(120)),
    Index(None, "asked_at"),
)


session_table = Table(
    "attended_session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("match_id", Uuid, ForeignKey("match.id"), nullable=False),
    Column("attended_on", Date, nullable=False),
    Column("award_id", Uuid, ForeignKey("award.id")),
    Column("drawn_pence", Integer, nullable=False),
    Column("reversed_at", Instant),
    CheckConstraint("drawn_pence >= 0", name="drawn_pence"),
)


STANDS = text("reversed_at IS NULL")


Index(
    "uq_attended_session_stands",
    session_table.c.match_id,
    session_table.c.attended_on,
    unique=True,
    sqlite_where=STANDS,
    postgresql_where=STANDS,
)


Index("ix_attended_session_match_id", session_table.c.match_id)


membership_table = Table(
    "membership",
    metadata,
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), primary_key=True),
    Column("starts_on", Date, nullable=False),
    Column("invoice_id", Uuid, ForeignKey("invoice.id"), nullable=False),
    Column("state", code(MembershipState), nullable=False),
)


invoice_table = Table(
    "invoice",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), nullable=False),
    Column("kind", code(InvoiceKind), nullable=False),
    Column("amount_pence", Integer, nullable=False),
    Column("paid_pence", Integer, nullable=False),
    Column("credited_pence", Integer, nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("membership_from", Date),
    Column("referral_id", Uuid, ForeignKey("referral.id")),
    Column("match_id", Uuid, ForeignKey("match.id"), unique=True),
    Column("reminded_on", Date),
    UniqueConstraint("therapist_id", "membership_from"),
    CheckConstraint("amount_pence > 0", name="amount_pence"),
    CheckConstraint("paid_pence >= 0 AND paid_pence <= amount_pence", name="paid_pence"),
    CheckConstraint("credited_pence >= 0 AND credited_pence <= amount_pence", name="credited_pence"),
)


credit_note_table = Table(
    "credit_note",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("invoice_id", Uuid, ForeignKey("invoice.id"), nullable=False),
    Column("amount_pence", Integer, nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("reversed_at", Instant),
    CheckConstraint("amount_pence > 0", name="amount_pence"),
)


Index(
    "uq_credit_note_stands",
    credit_note_table.c.invoice_id,
    unique=True,
    sqlite_where=STANDS,
    postgresql_where=STANDS,
)


payment_table = Table(
    "payment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("therapist_id", Uuid, ForeignKey("therapist.id"), nullable=False, index=True),
    Column("invoice_id", Uuid, ForeignKey("invoice.id"), nullable=False, index=True),
    Column("reference", String(64), nullable=False),
    Column("bank_id", String(64), unique=True),
    Column("paid_on", Date, nullable=False),
    Column("amount_pence", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("reversed_at", Instant),
    CheckConstraint("amount_pence > 0", name="amount_pence"),
)


allocation_table = Table(
    "allocation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("payment_id", Uuid, ForeignKey("payment.id"), nullable=False, index=True),
    Column("invoice_id", Uuid, ForeignKey("invoice.id"), nullable=False, index=True),
    Column("pence", Integer, nullable=False),
    Column("made_at", Instant, nullable=False),
    CheckConstraint("pence <> 0", name="pence"),
)
"""Which payment pays how much of which invoice; below nothing where that is taken back."""


reversal_table = Table(
    "reversal",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("reversed_at", Instant, nullable=False),
    Column("reversed_by", String(120), nullable=False),
    Column("reason", String(40), nullable=False),
)
"""Who took a payment or a session back, by its identifier, and why."""


journal_table = Table(
    "journal",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", code(JournalKind), nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("posted_at", Instant, nullable=False),
    UniqueConstraint("kind", "source_id"),
)


entry_table = Table(
    "entry",
    metadata,
    Column("journal_id", Uuid, ForeignKey("journal.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("account", code(AccountKind), nullable=False),
    Column("therapist_id", Uuid, ForeignKey("therapist.id")),
    Column("fund_id", Uuid, ForeignKey("fund.id")),
    Column("pence", Integer, nullable=False),
    CheckConstraint("pence <> 0", name="pence"),
    Index(None, "therapist_id"),
)


mapped.map_imperatively(Referral, referral_table)


mapped.map_imperatively(Therapist, therapist_table)


mapped.map_imperatively(Match, match_table)


mapped.map_imperatively(WaitingListEntry, waiting_table)


mapped.map_imperatively(Fund, fund_table)


mapped.map_imperatively(Award, award_table)


mapped.map_imperatively(Membership, membership_table)


mapped.map_imperatively(Invoice, invoice_table)


mapped.map_imperatively(AttendedSession, session_table)


mapped.map_imperatively(Payment, payment_table)
