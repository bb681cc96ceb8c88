"""Which messages there are, to whom each goes, and what a withdrawal does to it."""

from __future__ import annotations

from enum import StrEnum


class Recipient(StrEnum):
    CLIENT = "client"
    THERAPIST = "therapist"
    OFFICE = "office"
    DUTY_LEAD = "duty_lead"
    DEPUTY = "deputy"
    TRUSTEE = "trustee"

    @property
    def is_staff(self) -> bool:
        return self not in (Recipient.CLIENT, Recipient.THERAPIST)


class StandIn(StrEnum):
    """Wording that goes out in place of a message's own, to whoever must not be told more in this way."""

    DISCREET = "discreet"
    CLIENT_TEXT = "client_text"
    ALERT_TEXT = "alert_text"
    STAFF_CALL = "staff_call"
    DIGEST = "digest"


class Template(StrEnum):
    """A message's wording lies in `templates/<language>/<value>.txt`."""

    REQUEST_RECEIVED = "request_received"
    MATCHED = "matched"
    SUBSIDY_APPROVED = "subsidy_approved"
    SUBSIDY_WAITING = "subsidy_waiting"
    SIGNPOSTED = "signposted"
    WITHDRAWAL_CONFIRMED = "withdrawal_confirmed"
    CLIENT_EVALUATION = "client_evaluation"

    OFFER = "offer"
    OFFER_WITHDRAWN = "offer_withdrawn"
    INTRODUCTION = "introduction"
    THERAPIST_EVALUATION = "therapist_evaluation"
    MEMBERSHIP_STARTED = "membership_started"
    MEMBERSHIP_RENEWED = "membership_renewed"
    MEMBERSHIP_LAPSED = "membership_lapsed"
    REFERRAL_FEE_CHARGED = "referral_fee_charged"
    REFERRAL_FEE_CREDITED = "referral_fee_credited"
    PAYMENT_RECEIVED = "payment_received"
    THERAPIST_SUSPENDED = "therapist_suspended"
    THERAPIST_REINSTATED = "therapist_reinstated"

    MATCHING_STALLED = "matching_stalled"
    ASSESSMENT_OVERDUE = "assessment_overdue"
    ERASURE_OVERDUE = "erasure_overdue"
    MESSAGE_FAILED = "message_failed"
    ROTA_GAP = "rota_gap"
    SAFEGUARDING_ALERT = "safeguarding_alert"

    @property
    def recipient(self) -> Recipient | None:
        """To whom it goes; None for an alert, which goes to the person of its step."""
        if self is Template.SAFEGUARDING_ALERT:
            return None
        if self in _TO_CLIENTS:
            return Recipient.CLIENT
        return Recipient.OFFICE if self in _TO_THE_OFFICE else Recipient.THERAPIST

    @property
    def can_wait(self) -> bool:
        """Whether the office gets it with others at set times, where the policy gathers them."""
        return self in _CAN_WAIT

    @property
    def ends_with_withdrawal(self) -> bool:
        """Whether it has no point once the referral was withdrawn.

        What a therapist owes or is owed stands, an open offer must be taken back, and an alert always goes.
        """
        return self in _END_WITH_WITHDRAWAL


_CAN_WAIT = frozenset({Template.MATCHING_STALLED, Template.ASSESSMENT_OVERDUE, Template.MESSAGE_FAILED})
_TO_CLIENTS = frozenset(
    {
        Template.REQUEST_RECEIVED,
        Template.MATCHED,
        Template.SUBSIDY_APPROVED,
        Template.SUBSIDY_WAITING,
        Template.SIGNPOSTED,
        Template.WITHDRAWAL_CONFIRMED,
        Template.CLIENT_EVALUATION,
    }
)
_TO_THE_OFFICE = frozenset(
    {
        Template.MATCHING_STALLED,
        Template.ASSESSMENT_OVERDUE,
        Template.ERASURE_OVERDUE,
        Template.MESSAGE_FAILED,
        Template.ROTA_GAP,
    }
)
_END_WITH_WITHDRAWAL = (_TO_CLIENTS - {Template.WITHDRAWAL_CONFIRMED}) | {
    Template.OFFER,
    Template.INTRODUCTION,
    Template.THERAPIST_EVALUATION,
    Template.MATCHING_STALLED,
    Template.ASSESSMENT_OVERDUE,
}
