"""What a person's screen may ask of billing, or tell it to do: `billing.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from marshmallow import validate

from contracts.command import Command, Query
from contracts.permissions import Permission
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
    PaymentReversalReason,
    Pence,
    ReferralId,
    SessionId,
    SessionReversalReason,
    Slug,
    SubsidyWaitReason,
    TherapistId,
)

FundName = Annotated[str, validate.Length(min=1, max=200)]
SomePence = Annotated[int, validate.Range(min=1, max=10_000_000_00)]
SomeCount = Annotated[int, validate.Range(min=1, max=100_000)]
PaymentReference = Annotated[str, validate.Length(min=1, max=64)]
BankId = Annotated[str, validate.Length(min=1, max=64)]
AtMost = Annotated[int, validate.Range(min=1, max=10_000)]
MOST_IN_THE_BOOKS = 100_000
"""Accounts, funds or invoices in one answer."""


class FundTerms(Shape):
    """What one purpose of a fund is restricted to; an empty list restricts nothing.

    A client fits the area who lives in one of the police force areas or in one of the local authorities.
    """

    purpose: FundPurpose
    client_groups: tuple[ClientGroup, ...] = ()
    police_force_areas: tuple[Slug, ...] = ()
    local_authorities: tuple[LocalAuthority, ...] = ()


class OpenFund(Command, needs=Permission.OPEN_FUNDS):
    """Takes in a grant or donation with its restrictions. Both dates count; caps that are missing don't apply.

    `session_cap_pence` is the most for one session, `client_cap_pence` for one client, `sessions_per_award` the most
    sessions of one award, and `max_awards` the number of people that the gift is for. `further_awards`: whether an
    award that is used up is followed by another without a person's decision.
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
    further_awards: bool = False


class ListFunds(Query, needs=Permission.SEE_MONEY):
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
    further_awards: bool = False


class RecordPayment(Command, needs=Permission.RECORD_PAYMENTS):
    """A therapist paid an invoice, a part of it, or more than it.

    It is the same payment as one on record if it has the same `payment_id`, which whoever records it chose, or else
    the same `bank_id`, the bank's identifier of it. Without either it is the same if invoice, amount, reference and
    `paid_on` are; `paid_on` is the bank's day, and today unless it is given.
    """

    invoice_id: InvoiceId
    amount_pence: SomePence
    reference: PaymentReference
    payment_id: PaymentId | None = None
    bank_id: BankId | None = None
    paid_on: date | None = None


class PaymentView(Shape):
    """The payment as it is kept, what is still owed of its invoice, and what stands to the therapist's credit."""

    payment_id: PaymentId
    invoice_id: InvoiceId
    amount_pence: Pence
    outstanding_pence: Pence
    credit_pence: Pence = 0


class ReversePayment(Command, needs=Permission.RECORD_PAYMENTS):
    """A payment is taken back, and what it had paid is owed again. It is taken back once, however often it is asked."""

    payment_id: PaymentId
    reason: PaymentReversalReason


class ReverseSession(Command, needs=Permission.RECORD_SESSIONS):
    """A session is taken back, and what a fund had paid for it is the fund's again. Once, however often it is asked."""

    session_id: SessionId
    reason: SessionReversalReason


class ReversalView(Shape):
    """What was taken back, by whom first and why. `changed`: whether it was this command that did."""

    reversed_at: datetime
    reversed_by: str
    reason: Slug
    changed: bool


class DrawDown(Command, needs=Permission.RECORD_SESSIONS):
    """A session of a subsidised therapy was attended on a day: its part of the fee is spent.

    `match_id` says whose session it was, where two therapists saw the client on one day; the later one's unless given.
    """

    award_id: AwardId
    attended_on: date
    match_id: MatchId | None = None


class DrawdownView(Shape):
    """What was paid for the session, and what is left of the award."""

    session_id: UUID
    award_id: AwardId
    drawn_pence: Pence
    sessions_left: Count
    held_pence: Pence


class RecordAttendance(Command, needs=Permission.RECORD_SESSIONS):
    """A session without a subsidy was attended on a day, so that the referral fee stands. `match_id` as in DrawDown."""

    referral_id: ReferralId
    attended_on: date
    match_id: MatchId | None = None


class AttendanceView(Shape):
    session_id: UUID
    match_id: MatchId
    sessions_attended: Count


class RecordNeverAttended(Command, needs=Permission.RECORD_SESSIONS):
    """A person knows from client or therapist that the client never attended: the fee is given back."""

    match_id: MatchId


class NeverAttendedView(Shape):
    """`changed`: whether it was this command that put it on record."""

    match_id: MatchId
    recorded_at: datetime
    recorded_by: str
    changed: bool


class ListUnrecordedAttendance(Query, needs=Permission.SEE_MATCHING):
    """Of which matches does nobody know whether client and therapist have met, though it should be known by now?"""

    limit: AtMost = 1_000


class UnrecordedAttendance(Shape):
    """A match without a session on record: some time after it was made, or as soon as it has ended.

    `contact_made_on` is when its therapist made contact, by their own word; missing if they haven't said so.
    """

    match_id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    matched_on: date
    contact_made_on: date | None = None
    ended_on: date | None = None
    end_reason: Slug | None = None


class AllowFurtherAward(Command, needs=Permission.DECIDE_SUBSIDIES):
    """A person decides that somebody whose award is used up may have another one, when their turn comes."""

    referral_id: ReferralId


class ConfirmArea(Command, needs=Permission.DECIDE_SUBSIDIES):
    """A person found where the client lives, which the outward code alone didn't decide."""

    referral_id: ReferralId
    police_force_area: Slug
    local_authority: LocalAuthority | None = None


class GetSubsidy(Query, needs=Permission.SEE_MONEY):
    """How does the referral's subsidy stand?"""

    referral_id: ReferralId


class AwardView(Shape):
    """An award and its `state`: `held`, `closing`, `used` or `ended`. What was committed is held, drawn or released.

    Sessions from `starts_on` to `pays_until` are paid; without that, to the fund's last day. One that is `closing`
    keeps its money for sessions that took place and have still to be reported.
    """

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
    starts_on: date | None = None
    pays_until: date | None = None


class SubsidyView(Shape):
    """The latest award of a referral, and whether it is on the waiting list and why."""

    referral_id: ReferralId
    subsidy_requested: bool
    award: AwardView | None = None
    is_waiting: bool
    wait_reason: SubsidyWaitReason | None = None


class GetTherapistAccount(Query, needs=Permission.SEE_ACCOUNTS_OF_THERAPISTS, own="therapist_id"):
    """What does a therapist owe, and how does their membership stand?"""

    therapist_id: TherapistId


class InvoiceView(Shape):
    """An invoice for a `membership` or a `referral_fee`."""

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
    """`balance_pence` is what the ledger says they owe; `membership` is `current`, `lapsed`, or missing before any.

    `credit_pence` is what they paid and no invoice has needed yet.
    """

    therapist_id: TherapistId
    membership: Slug | None = None
    membership_starts_on: date | None = None
    membership_ends_on: date | None = None
    balance_pence: int
    credit_pence: Pence = 0
    invoices: Annotated[tuple[InvoiceView, ...], validate.Length(max=MOST_IN_THE_BOOKS)]


class GetTrialBalance(Query, needs=Permission.SEE_MONEY):
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
    accounts: Annotated[tuple[AccountView, ...], validate.Length(max=MOST_IN_THE_BOOKS)]
    funds: Annotated[tuple[FundBalance, ...], validate.Length(max=MOST_IN_THE_BOOKS)]
