"""What a person's screen may ask of billing, or tell it to do: `billing.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from marshmallow import validate

from contracts.shape import Shape
from contracts.vocabulary import (
    AwardId,
    ClientGroup,
    Count,
    FundId,
    FundPurpose,
    InvoiceId,
    LocalAuthority,
    MatchId,
    PaymentId,
    Pence,
    ReferralId,
    Slug,
    SubsidyWaitReason,
    TherapistId,
)

FundName = Annotated[str, validate.Length(min=1, max=200)]
SomePence = Annotated[int, validate.Range(min=1, max=10_000_000_00)]
SomeCount = Annotated[int, validate.Range(min=1, max=100_000)]
PaymentReference = Annotated[str, validate.Length(min=1, max=64)]


class FundTerms(Shape):
    """What one purpose of a fund is restricted to; an empty list restricts nothing.

    A client fits the area who lives in one of the police force areas or in one of the local authorities.
    """

    purpose: FundPurpose
    client_groups: tuple[ClientGroup, ...] = ()
    police_force_areas: tuple[Slug, ...] = ()
    local_authorities: tuple[LocalAuthority, ...] = ()


class OpenFund(Shape):
    """Takes in a grant or donation with its restrictions. Both dates count; caps that are missing don't apply.

    `session_cap_pence` is the most for one session, `client_cap_pence` for one client, `sessions_per_award` the most
    sessions of one award, and `max_awards` the number of people that the gift is for.
    """

    name: FundName
    amount_pence: SomePence
    terms: Annotated[tuple[FundTerms, ...], validate.Length(min=1, max=2)]
    starts_on: date
    ends_on: date
    session_cap_pence: SomePence | None = None
    sessions_per_award: SomeCount | None = None
    client_cap_pence: SomePence | None = None
    max_awards: SomeCount | None = None


class ListFunds(Shape):
    """Which funds are there, open or not, and what is left of each?"""


class FundView(Shape):
    """A fund. What was opened is available, committed to awards, or drawn."""

    fund_id: FundId
    name: str
    purposes: tuple[FundPurpose, ...]
    starts_on: date
    ends_on: date
    is_open: bool
    opened_pence: Pence
    available_pence: Pence
    committed_pence: Pence
    drawn_pence: Pence
    awards_made: Count
    max_awards: Count | None = None


class RecordPayment(Shape):
    """A therapist paid an invoice, or a part of it. The same reference for the same invoice is the same payment."""

    invoice_id: InvoiceId
    amount_pence: SomePence
    reference: PaymentReference


class PaymentView(Shape):
    """The payment as it is kept, and what is still owed."""

    payment_id: PaymentId
    invoice_id: InvoiceId
    amount_pence: Pence
    outstanding_pence: Pence


class DrawDown(Shape):
    """A session of a subsidised therapy was attended on a day: its part of the fee is spent."""

    award_id: AwardId
    attended_on: date


class DrawdownView(Shape):
    """What was paid for the session, and what is left of the award."""

    session_id: UUID
    award_id: AwardId
    drawn_pence: Pence
    sessions_left: Count
    held_pence: Pence


class RecordAttendance(Shape):
    """A session without a subsidy was attended on a day, so that the referral fee stands."""

    referral_id: ReferralId
    attended_on: date


class AttendanceView(Shape):
    session_id: UUID
    match_id: MatchId
    sessions_attended: Count


class ConfirmArea(Shape):
    """A person found where the client lives, which the outward code alone didn't decide."""

    referral_id: ReferralId
    police_force_area: Slug
    local_authority: LocalAuthority | None = None


class SubsidyOf(Shape):
    """How does the referral's subsidy stand?"""

    referral_id: ReferralId


class AwardView(Shape):
    """An award and its `state`: `held`, `used` or `ended`. What was committed is held, drawn or released."""

    award_id: AwardId
    fund_id: FundId
    pence_per_session: Pence
    sessions: Count
    sessions_used: Count
    committed_pence: Pence
    held_pence: Pence
    drawn_pence: Pence
    released_pence: Pence
    state: Slug
    approved_at: datetime


class SubsidyView(Shape):
    """The latest award of a referral, and whether it is on the waiting list and why."""

    referral_id: ReferralId
    subsidy_requested: bool
    award: AwardView | None = None
    is_waiting: bool
    wait_reason: SubsidyWaitReason | None = None


class TherapistAccountOf(Shape):
    """What does a therapist owe, and how does their membership stand?"""

    therapist_id: TherapistId


class InvoiceView(Shape):
    """An invoice for a `membership` or a `referral_fee`. Outstanding below nothing, the charity owes the therapist."""

    invoice_id: InvoiceId
    kind: Slug
    amount_pence: Pence
    paid_pence: Pence
    credited_pence: Pence
    outstanding_pence: int
    is_settled: bool
    issued_on: date
    due_on: date
    reminded_on: date | None = None
    referral_id: ReferralId | None = None


class TherapistAccountView(Shape):
    """`balance_pence` is what the ledger says they owe; `membership` is `current`, `lapsed`, or missing before any."""

    therapist_id: TherapistId
    membership: Slug | None = None
    membership_starts_on: date | None = None
    membership_ends_on: date | None = None
    balance_pence: int
    invoices: tuple[InvoiceView, ...]


class ShowTrialBalance(Shape):
    """What stands on every account, and does it all add up?"""


class AccountView(Shape):
    """An account; debits are positive, credits negative. One without a fund is unrestricted."""

    account: Slug
    therapist_id: TherapistId | None = None
    fund_id: FundId | None = None
    pence: int


class FundBalance(Shape):
    """A fund by its journals. `agrees` says that the fund's own figures are the ledger's."""

    fund_id: FundId
    name: str
    opened_pence: int
    available_pence: int
    committed_pence: int
    drawn_pence: int
    released_pence: int
    agrees: bool


class TrialBalanceView(Shape):
    """`is_balanced`: every fund's accounts and the unrestricted ones each sum to nothing, and every fund agrees."""

    is_balanced: bool
    accounts: tuple[AccountView, ...]
    funds: tuple[FundBalance, ...]
