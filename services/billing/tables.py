"""Billing's tables, and which of the domain's classes are kept in them. Business keys are permanent unique constraints.

The inbox forgets a message after some weeks; these keys don't, so a fact replayed years later still changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
    text,
)
from sqlalchemy.orm import registry

from chassis.store.tables import Instant, code, new_metadata
from contracts.vocabulary import (
    ClientGroup,
    FundPurpose,
    MatchEndReason,
    MatchId,
    ReferralId,
    SubsidyWaitReason,
    TherapistId,
)
from services.billing.domain.awards import Award, AwardState
from services.billing.domain.fees import Ending
from services.billing.domain.funds import Fund, Place, Terms
from services.billing.domain.invoices import Invoice, InvoiceKind
from services.billing.domain.ledger import AccountKind, JournalKind
from services.billing.domain.membership import Membership, MembershipState

metadata = new_metadata()
mapped = registry(metadata=metadata)


@dataclass(kw_only=True, eq=False)
class Referral:
    """What intake said of a referral, as far as money is concerned. `received_at` is when a subsidy was asked for."""

    id: ReferralId
    received_at: datetime
    client_group: ClientGroup
    police_force_area: str | None
    local_authority: str | None
    area_confirmed: bool = False
    fee_ceiling_pence: int | None
    subsidy_requested: bool
    received_sequence: int
    assessed_at: datetime | None = None
    ending: Ending | None = None
    ending_sequence: int | None = None

    @property
    def place(self) -> Place:
        return Place(police_force_area=self.police_force_area, local_authority=self.local_authority)

    @property
    def asks_for_subsidy(self) -> bool:
        """A subsidy is decided once it is both asked for and assessed, as long as the referral goes on."""
        return self.subsidy_requested and self.assessed_at is not None and self.ending is None

    def forget(self, *, sequence: int) -> None:
        """Forgets whatever could tell who this is. Nothing that intake said of it before is taken in any more."""
        self.received_sequence = max(sequence, self.received_sequence)
        self.police_force_area = self.local_authority = self.fee_ceiling_pence = None
        self.subsidy_requested = False


@dataclass(kw_only=True, eq=False)
class Match:
    """What matching said of a match."""

    id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    matched_at: datetime
    session_fee_pence: int
    end_reason: MatchEndReason | None = None


@dataclass(kw_only=True, eq=False)
class WaitingPlace:
    """A referral's place on the subsidy waiting list; without a reason until it was tried for the first time."""

    referral_id: ReferralId
    asked_at: datetime
    reason: SubsidyWaitReason | None = None


@dataclass(kw_only=True, eq=False)
class Therapist:
    """A therapist with whom billing has an account."""

    id: TherapistId
    known_since: datetime


class TermsColumn(TypeDecorator[tuple[Terms, ...]]):
    """A fund's terms as JSON. They never change once the fund is open."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: tuple[Terms, ...] | None, dialect: Dialect) -> Any:
        return [_terms_to_json(terms) for terms in value or ()]

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[Terms, ...]:
        return tuple(_terms_from_json(one) for one in value)


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
)

therapist_table = Table(
    "therapist",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("known_since", Instant, nullable=False),
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
    UniqueConstraint("match_id", "attended_on"),
    CheckConstraint("drawn_pence >= 0", name="drawn_pence"),
)

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
    Column("invoice_id", Uuid, ForeignKey("invoice.id"), nullable=False, unique=True),
    Column("amount_pence", Integer, nullable=False),
    Column("issued_on", Date, nullable=False),
    CheckConstraint("amount_pence > 0", name="amount_pence"),
)

payment_table = Table(
    "payment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("invoice_id", Uuid, ForeignKey("invoice.id"), nullable=False),
    Column("reference", String(64), nullable=False),
    Column("amount_pence", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("invoice_id", "reference"),
    CheckConstraint("amount_pence > 0", name="amount_pence"),
)

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
mapped.map_imperatively(WaitingPlace, waiting_table)
mapped.map_imperatively(Fund, fund_table)
mapped.map_imperatively(Award, award_table)
mapped.map_imperatively(Membership, membership_table)
mapped.map_imperatively(Invoice, invoice_table)
