"""What billing publishes, on `billing.events`. Amounts are pence sterling."""

from __future__ import annotations

from datetime import date, datetime

from contracts.event import Event
from contracts.vocabulary import (
    AwardId,
    Count,
    CreditNoteId,
    Currency,
    FeeCreditReason,
    FundId,
    FundPurpose,
    InvoiceId,
    MatchId,
    PaymentId,
    PaymentReversalReason,
    Pence,
    ReferralId,
    SessionId,
    SessionReversalReason,
    SubsidyDeclineReason,
    SubsidyReleaseReason,
    SubsidyWaitReason,
    TherapistId,
)


class MembershipStarted(Event, publisher="billing", subject="therapist_id"):
    """A therapist's first referral made the annual membership fee due.

    `from_credit_pence` of it were paid at once out of what stood to the therapist's credit.
    """

    therapist_id: TherapistId
    invoice_id: InvoiceId
    starts_on: date
    ends_on: date
    amount_pence: Pence
    from_credit_pence: Pence | None = None
    currency: Currency = "GBP"


class MembershipRenewed(Event, publisher="billing", subject="therapist_id"):
    """A membership runs for another year, or runs again after it had lapsed. Credit as in `MembershipStarted`."""

    therapist_id: TherapistId
    invoice_id: InvoiceId
    starts_on: date
    ends_on: date
    amount_pence: Pence
    from_credit_pence: Pence | None = None
    currency: Currency = "GBP"


class MembershipReminded(Event, publisher="billing", subject="therapist_id"):
    """The annual fee is still unpaid: the therapist is told that the membership lapses when `lapses_on` begins."""

    therapist_id: TherapistId
    invoice_id: InvoiceId
    outstanding_pence: Pence
    lapses_on: date
    currency: Currency = "GBP"


class MembershipLapsed(Event, publisher="billing", subject="therapist_id"):
    """The fee stayed unpaid beyond the grace period: no new offers until it is paid."""

    therapist_id: TherapistId
    invoice_id: InvoiceId
    lapsed_on: date


class ReferralFeeCharged(Event, publisher="billing", subject="referral_id"):
    """The therapist owes the fee for an accepted referral. Credit as in `MembershipStarted`."""

    invoice_id: InvoiceId
    referral_id: ReferralId
    match_id: MatchId
    therapist_id: TherapistId
    amount_pence: Pence
    from_credit_pence: Pence | None = None
    currency: Currency = "GBP"


class ReferralFeeCredited(Event, publisher="billing", subject="referral_id"):
    """The fee is given back: the client never attended, or parted as unhappy within the first sessions.

    `reason` is missing in events from before there was more than one.
    """

    credit_note_id: CreditNoteId
    invoice_id: InvoiceId
    referral_id: ReferralId
    match_id: MatchId
    therapist_id: TherapistId
    amount_pence: Pence
    reason: FeeCreditReason | None = None
    currency: Currency = "GBP"


class ReferralFeeCreditReversed(Event, publisher="billing", subject="referral_id"):
    """The fee that had been given back is owed again: a session became known after all, or the match goes on."""

    credit_note_id: CreditNoteId
    invoice_id: InvoiceId
    referral_id: ReferralId
    match_id: MatchId
    therapist_id: TherapistId
    amount_pence: Pence
    currency: Currency = "GBP"


class AttendanceUnrecorded(Event, publisher="billing", subject="referral_id"):
    """Nobody has recorded whether client and therapist have met: a person should ask. Said once for each match."""

    referral_id: ReferralId
    match_id: MatchId
    therapist_id: TherapistId
    matched_on: date


class FirstSessionAttended(Event, publisher="billing", subject="referral_id"):
    """Client and therapist have met for the first time: the referral fee stands, and therapy has begun."""

    referral_id: ReferralId
    match_id: MatchId
    therapist_id: TherapistId
    attended_on: date


class SessionReversed(Event, publisher="billing", subject="referral_id"):
    """A session that was recorded is taken back: it did not take place, or not so. `sessions` are left on record.

    What a fund had paid for it is the fund's again.
    """

    session_id: SessionId
    referral_id: ReferralId
    match_id: MatchId
    therapist_id: TherapistId
    attended_on: date
    sessions: Count
    drawn_pence: Pence
    reason: SessionReversalReason
    currency: Currency = "GBP"


class PaymentReceived(Event, publisher="billing", subject="therapist_id"):
    """A therapist paid an invoice, a part of it, or more than it: `credit_pence` then stand to their credit.

    `outstanding_pence` is what is left of the invoice. Both are missing in events from before there was credit.
    """

    payment_id: PaymentId
    invoice_id: InvoiceId
    therapist_id: TherapistId
    amount_pence: Pence
    outstanding_pence: Pence | None = None
    credit_pence: Pence | None = None
    currency: Currency = "GBP"


class PaymentReversed(Event, publisher="billing", subject="therapist_id"):
    """A payment is taken back: the bank returned it, or it was recorded wrongly. What it had paid is owed again."""

    payment_id: PaymentId
    invoice_id: InvoiceId
    therapist_id: TherapistId
    amount_pence: Pence
    reason: PaymentReversalReason
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


class SubsidyAssigned(Event, publisher="billing", subject="referral_id"):
    """An award pays a part of the sessions with this therapist: at most `sessions` more, the last on `ends_on`.

    If none has taken place by `begin_by`, the money goes back to its fund.
    """

    award_id: AwardId
    referral_id: ReferralId
    match_id: MatchId
    therapist_id: TherapistId
    pence_per_session: Pence
    sessions: Count
    ends_on: date
    begin_by: date | None = None
    currency: Currency = "GBP"


class SubsidyWaitlisted(Event, publisher="billing", subject="referral_id"):
    """No fund can pay now; the request is served in order when money comes.

    `match_id` is the therapy that is going on meanwhile, which somebody may have to speak about.
    """

    referral_id: ReferralId
    reason: SubsidyWaitReason
    match_id: MatchId | None = None


class SubsidyResumed(Event, publisher="billing", subject="referral_id"):
    """An end was undone whose award was still reserved: it pays sessions again, and nobody waits for one."""

    award_id: AwardId
    referral_id: ReferralId
    pence_per_session: Pence
    sessions: Count
    currency: Currency = "GBP"


class SubsidyDeclined(Event, publisher="billing", subject="referral_id"):
    """A subsidy was asked for and none is needed, so that nobody waits for one; matching goes on without.

    `match_id` is the therapy that is going on already, whose fee somebody may have to speak about.
    """

    referral_id: ReferralId
    reason: SubsidyDeclineReason
    match_id: MatchId | None = None


class SubsidyReleased(Event, publisher="billing", subject="referral_id"):
    """Committed money, or part of it, went back to its fund.

    `pence_per_session` is what the award still pays of each session to come, 0 if it pays none; it was not said before.
    """

    award_id: AwardId
    referral_id: ReferralId
    fund_id: FundId
    released_pence: Pence
    reason: SubsidyReleaseReason
    pence_per_session: Pence | None = None
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
