"""What the other services say, for a referral and a therapist that don't exist."""

from __future__ import annotations

from datetime import date, timedelta

from chassis.ids import new_id
from chassis.privacy.sealing import Keyring
from contracts.events.billing import (
    AttendanceUnrecorded,
    MembershipLapsed,
    MembershipReminded,
    MembershipRenewed,
    MembershipStarted,
    PaymentReceived,
    PaymentReversed,
    ReferralFeeCharged,
    ReferralFeeCredited,
    ReferralFeeCreditReversed,
    SubsidyApproved,
    SubsidyAssigned,
    SubsidyDeclined,
    SubsidyWaitlisted,
)
from contracts.events.evaluation import EvaluationInvitationCancelled, EvaluationInvited
from contracts.events.intake import AssessmentOverdue, ReferralClosed, ReferralSignposted, ReferralWithdrawn
from contracts.events.matching import (
    MatchingStalled,
    OfferWithdrawn,
    TherapistMatched,
    TherapistOffered,
    TherapistReinstated,
    TherapistSuspended,
)
from contracts.sealed import LinkSecret
from contracts.vocabulary import (
    AwardId,
    ClientGroup,
    ClosureReason,
    CreditNoteId,
    FundId,
    InvitationId,
    InvoiceId,
    MatchId,
    OfferId,
    OfferWithdrawalReason,
    PaymentId,
    PaymentReversalReason,
    ReferralId,
    Respondent,
    Sessions,
    SignpostReason,
    Stage,
    StallReason,
    SubsidyDeclineReason,
    SubsidyWaitReason,
    SuspensionReason,
    TherapistId,
    WithdrawalReason,
    Work,
)
from tests.unit.notifications.conftest import MONDAY_10

TOKEN = "a-token-that-was-made-up-for-a-test"


def withdrawn(referral_id: ReferralId, reason: WithdrawalReason = WithdrawalReason.CLIENT_ASKED) -> ReferralWithdrawn:
    return ReferralWithdrawn(referral_id=referral_id, reason=reason)


def signposted(referral_id: ReferralId) -> ReferralSignposted:
    return ReferralSignposted(referral_id=referral_id, reason=SignpostReason.OUT_OF_SCOPE)


def closed(referral_id: ReferralId) -> ReferralClosed:
    return ReferralClosed(referral_id=referral_id, reason=ClosureReason.THERAPY_ENDED)


def matched(referral_id: ReferralId, therapist_id: TherapistId | None = None) -> TherapistMatched:
    return TherapistMatched(
        match_id=MatchId(new_id()),
        referral_id=referral_id,
        therapist_id=therapist_id or TherapistId(new_id()),
        matched_at=MONDAY_10,
        distance_km=7.2,
        session_fee_pence=60_00,
        sessions=Sessions.IN_PERSON,
    )


def offered(referral_id: ReferralId, therapist_id: TherapistId) -> TherapistOffered:
    return TherapistOffered(
        offer_id=OfferId(new_id()),
        referral_id=referral_id,
        therapist_id=therapist_id,
        expires_at=MONDAY_10 + timedelta(days=2),
        client_group=ClientGroup.SURVIVOR,
        work=Work.INDIVIDUAL,
        sessions=Sessions.IN_PERSON,
        distance_km=7.2,
    )


def taken_back(offer: TherapistOffered) -> OfferWithdrawn:
    return OfferWithdrawn(
        offer_id=offer.offer_id,
        referral_id=offer.referral_id,
        therapist_id=offer.therapist_id,
        reason=OfferWithdrawalReason.REFERRAL_WITHDRAWN,
    )


def overdue(referral_id: ReferralId) -> AssessmentOverdue:
    return AssessmentOverdue(referral_id=referral_id, due_at=MONDAY_10, taken_up=False, needs_safeguarding_lead=False)


def stalled(referral_id: ReferralId) -> MatchingStalled:
    return MatchingStalled(
        referral_id=referral_id, reason=StallReason.NOBODY_NEAR, waiting_since=MONDAY_10 - timedelta(days=7)
    )


def suspended(therapist_id: TherapistId) -> TherapistSuspended:
    return TherapistSuspended(therapist_id=therapist_id, reason=SuspensionReason.INSURANCE_EXPIRED)


def reinstated(therapist_id: TherapistId) -> TherapistReinstated:
    return TherapistReinstated(therapist_id=therapist_id, reason=SuspensionReason.INSURANCE_EXPIRED)


def membership_started(therapist_id: TherapistId) -> MembershipStarted:
    return MembershipStarted(
        therapist_id=therapist_id,
        invoice_id=InvoiceId(new_id()),
        starts_on=date(2026, 11, 23),
        ends_on=date(2027, 11, 22),
        amount_pence=50_00,
    )


def membership_renewed(therapist_id: TherapistId) -> MembershipRenewed:
    return MembershipRenewed(
        therapist_id=therapist_id,
        invoice_id=InvoiceId(new_id()),
        starts_on=date(2027, 11, 23),
        ends_on=date(2028, 11, 22),
        amount_pence=50_00,
    )


def membership_lapsed(therapist_id: TherapistId) -> MembershipLapsed:
    return MembershipLapsed(therapist_id=therapist_id, invoice_id=InvoiceId(new_id()), lapsed_on=date(2026, 11, 23))


def fee_charged(referral_id: ReferralId, therapist_id: TherapistId) -> ReferralFeeCharged:
    return ReferralFeeCharged(
        invoice_id=InvoiceId(new_id()),
        referral_id=referral_id,
        match_id=MatchId(new_id()),
        therapist_id=therapist_id,
        amount_pence=1_234_56,
    )


def fee_credited(referral_id: ReferralId, therapist_id: TherapistId) -> ReferralFeeCredited:
    return ReferralFeeCredited(
        credit_note_id=CreditNoteId(new_id()),
        invoice_id=InvoiceId(new_id()),
        referral_id=referral_id,
        match_id=MatchId(new_id()),
        therapist_id=therapist_id,
        amount_pence=25_00,
    )


def paid(therapist_id: TherapistId) -> PaymentReceived:
    return PaymentReceived(
        payment_id=PaymentId(new_id()),
        invoice_id=InvoiceId(new_id()),
        therapist_id=therapist_id,
        amount_pence=50_00,
    )


def subsidy_approved(referral_id: ReferralId) -> SubsidyApproved:
    return SubsidyApproved(
        award_id=AwardId(new_id()),
        referral_id=referral_id,
        fund_id=FundId(new_id()),
        pence_per_session=45_00,
        sessions=12,
        committed_pence=540_00,
        approved_at=MONDAY_10,
    )


def subsidy_waitlisted(
    referral_id: ReferralId, reason: SubsidyWaitReason = SubsidyWaitReason.NO_MONEY
) -> SubsidyWaitlisted:
    return SubsidyWaitlisted(referral_id=referral_id, reason=reason)


def subsidy_declined(referral_id: ReferralId, match_id: MatchId | None = None) -> SubsidyDeclined:
    return SubsidyDeclined(referral_id=referral_id, reason=SubsidyDeclineReason.WITHIN_MEANS, match_id=match_id)


def subsidy_assigned(referral_id: ReferralId, therapist_id: TherapistId) -> SubsidyAssigned:
    return SubsidyAssigned(
        award_id=AwardId(new_id()),
        referral_id=referral_id,
        match_id=MatchId(new_id()),
        therapist_id=therapist_id,
        pence_per_session=25_00,
        sessions=10,
        ends_on=date(2027, 3, 31),
        begin_by=date(2027, 2, 21),
    )


def membership_reminded(therapist_id: TherapistId) -> MembershipReminded:
    return MembershipReminded(
        therapist_id=therapist_id,
        invoice_id=InvoiceId(new_id()),
        outstanding_pence=50_00,
        lapses_on=date(2026, 12, 24),
    )


def payment_reversed(therapist_id: TherapistId) -> PaymentReversed:
    return PaymentReversed(
        payment_id=PaymentId(new_id()),
        invoice_id=InvoiceId(new_id()),
        therapist_id=therapist_id,
        amount_pence=50_00,
        reason=PaymentReversalReason.RETURNED_BY_BANK,
    )


def fee_owed_again(referral_id: ReferralId, therapist_id: TherapistId) -> ReferralFeeCreditReversed:
    return ReferralFeeCreditReversed(
        credit_note_id=CreditNoteId(new_id()),
        invoice_id=InvoiceId(new_id()),
        referral_id=referral_id,
        match_id=MatchId(new_id()),
        therapist_id=therapist_id,
        amount_pence=25_00,
    )


def attendance_unrecorded(referral_id: ReferralId) -> AttendanceUnrecorded:
    return AttendanceUnrecorded(
        referral_id=referral_id,
        match_id=MatchId(new_id()),
        therapist_id=TherapistId(new_id()),
        matched_on=date(2026, 10, 24),
    )


def invited(
    keyring: Keyring,
    referral_id: ReferralId,
    therapist_id: TherapistId,
    respondent: Respondent = Respondent.CLIENT,
    token: str = TOKEN,
) -> EvaluationInvited:
    return EvaluationInvited(
        invitation_id=InvitationId(new_id()),
        referral_id=referral_id,
        therapist_id=therapist_id,
        respondent=respondent,
        stage=Stage.START,
        instrument="core-10",
        sealed=keyring.seal("notifications", LinkSecret(token=token)),
    )


def cancelled(invited: EvaluationInvited) -> EvaluationInvitationCancelled:
    assert invited.invited_at
    return EvaluationInvitationCancelled(
        invitation_id=invited.invitation_id,
        referral_id=invited.referral_id,
        therapist_id=invited.therapist_id,
        respondent=invited.respondent,
        stage=invited.stage,
        invited_at=invited.invited_at,
    )
