"""What billing publishes, on `billing.events`. Amounts are pence sterling."""

from __future__ import annotations

from datetime import date, datetime

from contracts.event import Event
from contracts.vocabulary import (
    AwardId,
    Count,
    CreditNoteId,
    Currency,
    FundId,
    FundPurpose,
    InvoiceId,
    MatchId,
    PaymentId,
    Pence,
    ReferralId,
    SubsidyDeclineReason,
    SubsidyReleaseReason,
    SubsidyWaitReason,
    TherapistId,
)


class MembershipStarted(Event, publisher="billing", subject="therapist_id"):
    """A therapist's first referral made the annual membership fee due."""

    therapist_id: TherapistId
    invoice_id: InvoiceId
    starts_on: date
    ends_on: date
    amount_pence: Pence
    currency: Currency = "GBP"


class MembershipRenewed(Event, publisher="billing", subject="therapist_id"):
    """A membership runs for another year, or runs again after it had lapsed."""

    therapist_id: TherapistId
    invoice_id: InvoiceId
    starts_on: date
    ends_on: date
    amount_pence: Pence
    currency: Currency = "GBP"


class MembershipLapsed(Event, publisher="billing", subject="therapist_id"):
    """The fee stayed unpaid beyond the grace period: no new offers until it is paid."""

    therapist_id: TherapistId
    invoice_id: InvoiceId
    lapsed_on: date


class ReferralFeeCharged(Event, publisher="billing", subject="referral_id"):
    """The therapist owes the fee for an accepted referral."""

    invoice_id: InvoiceId
    referral_id: ReferralId
    match_id: MatchId
    therapist_id: TherapistId
    amount_pence: Pence
    currency: Currency = "GBP"


class ReferralFeeCredited(Event, publisher="billing", subject="referral_id"):
    """The client never attended, so the fee is given back."""

    credit_note_id: CreditNoteId
    invoice_id: InvoiceId
    referral_id: ReferralId
    match_id: MatchId
    therapist_id: TherapistId
    amount_pence: Pence
    currency: Currency = "GBP"


class FirstSessionAttended(Event, publisher="billing", subject="referral_id"):
    """Client and therapist have met for the first time: the referral fee stands, and therapy has begun."""

    referral_id: ReferralId
    match_id: MatchId
    therapist_id: TherapistId
    attended_on: date


class PaymentReceived(Event, publisher="billing", subject="therapist_id"):
    """A therapist paid an invoice, or a part of it."""

    payment_id: PaymentId
    invoice_id: InvoiceId
    therapist_id: TherapistId
    amount_pence: Pence
    currency: Currency = "GBP"


class SubsidyApproved(Event, publisher="billing", subject="referral_id"):
    """Money of a fund is committed: up to `pence_per_session` for each of up to `sessions` sessions."""

    award_id: AwardId
    referral_id: ReferralId
    fund_id: FundId
    pence_per_session: Pence
    sessions: Count
    committed_pence: Pence
    approved_at: datetime
    currency: Currency = "GBP"


class SubsidyWaitlisted(Event, publisher="billing", subject="referral_id"):
    """No fund can pay now; the request is served in order when money comes."""

    referral_id: ReferralId
    reason: SubsidyWaitReason


class SubsidyDeclined(Event, publisher="billing", subject="referral_id"):
    """A subsidy was asked for and none is needed, so that nobody waits for one; matching goes on without."""

    referral_id: ReferralId
    reason: SubsidyDeclineReason


class SubsidyReleased(Event, publisher="billing", subject="referral_id"):
    """Committed money, or part of it, went back to its fund."""

    award_id: AwardId
    referral_id: ReferralId
    fund_id: FundId
    released_pence: Pence
    reason: SubsidyReleaseReason
    currency: Currency = "GBP"


class FundOpened(Event, publisher="billing", subject="fund_id"):
    """A grant or donation with its restrictions can be awarded from."""

    fund_id: FundId
    amount_pence: Pence
    purposes: tuple[FundPurpose, ...]
    starts_on: date
    ends_on: date
    currency: Currency = "GBP"


class ErasureConfirmed(Event, publisher="billing", subject="referral_id"):
    """Billing has forgotten what an erased referral's client could pay and where they live; the books stay."""

    referral_id: ReferralId
