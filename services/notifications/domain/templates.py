"""Which messages there are, to whom each goes, and what a withdrawal does to it."""

from __future__ import annotations

from enum import StrEnum


class Recipient(StrEnum):
    CLIENT = "client"
    WRITER = "writer"
    """Whoever wrote for the client."""
    THERAPIST = "therapist"
    OFFICE = "office"
    DUTY_LEAD = "duty_lead"
    DEPUTY = "deputy"
    TRUSTEE = "trustee"
    STAFF = "staff"
    """Somebody with an account, at the address that came sealed with the message."""

    @property
    def is_staff(self) -> bool:
        return self not in (Recipient.CLIENT, Recipient.WRITER, Recipient.THERAPIST)

    @property
    def asked_for_help(self) -> bool:
        """Whether it is somebody who asked for help, for themselves or for another."""
        return self in (Recipient.CLIENT, Recipient.WRITER)


class StandIn(StrEnum):
    """Templates that are used instead of a message's own where that would say too much, or is for somebody else."""

    DISCREET = "discreet"
    CLIENT_TEXT = "client_text"
    ALERT_TEXT = "alert_text"
    STAFF_CALL = "staff_call"
    DIGEST = "digest"


class Template(StrEnum):
    """A message's wording lies in `templates/<language>/<value>.txt`."""

    REQUEST_RECEIVED = "request_received"
    CONSENT_NEEDED = "consent_needed"
    CONTACT_CODE = "contact_code"
    CONTACT_MOVED = "contact_moved"
    MATCHED = "matched"
    SUBSIDY_APPROVED = "subsidy_approved"
    SUBSIDY_WAITING = "subsidy_waiting"
    SUBSIDY_DECLINED = "subsidy_declined"
    SIGNPOSTED = "signposted"
    WITHDRAWAL_CONFIRMED = "withdrawal_confirmed"
    REQUEST_GOES_ON = "request_goes_on"
    CLIENT_EVALUATION = "client_evaluation"
    PERSONAL_MESSAGE = "personal_message"

    OFFER = "offer"
    OFFER_WITHDRAWN = "offer_withdrawn"
    INTRODUCTION = "introduction"
    CONTACT_CHANGED = "contact_changed"
    CLIENT_CODE = "client_code"
    THERAPIST_EVALUATION = "therapist_evaluation"
    MEMBERSHIP_STARTED = "membership_started"
    MEMBERSHIP_RENEWED = "membership_renewed"
    MEMBERSHIP_REMINDER = "membership_reminder"
    MEMBERSHIP_LAPSED = "membership_lapsed"
    REFERRAL_FEE_CHARGED = "referral_fee_charged"
    REFERRAL_FEE_CREDITED = "referral_fee_credited"
    FEE_CREDIT_REVERSED = "fee_credit_reversed"
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_REVERSED = "payment_reversed"
    SUBSIDY_ASSIGNED = "subsidy_assigned"
    THERAPIST_SUSPENDED = "therapist_suspended"
    THERAPIST_REINSTATED = "therapist_reinstated"

    REQUEST_ARRIVED = "request_arrived"
    REQUEST_UNREADABLE = "request_unreadable"
    NEW_CONTACT_NAMED = "new_contact_named"
    ANOTHER_WANTED = "another_wanted"
    AGREEMENT_AWAITED = "agreement_awaited"
    COURSE_AWAITED = "course_awaited"
    THERAPIST_REPORTED = "therapist_reported"
    MATCHING_STALLED = "matching_stalled"
    THERAPIST_NOT_ANSWERING = "therapist_not_answering"
    ASSESSMENT_OVERDUE = "assessment_overdue"
    ERASURE_OVERDUE = "erasure_overdue"
    ATTENDANCE_UNRECORDED = "attendance_unrecorded"
    SUBSIDY_TO_LOOK_AT = "subsidy_to_look_at"
    MESSAGE_FAILED = "message_failed"
    ROTA_GAP = "rota_gap"
    READINGS_STOPPED = "readings_stopped"
    SAFEGUARDING_ALERT = "safeguarding_alert"

    STAFF_LINK = "staff_link"
    STAFF_TOLD = "staff_told"
    STAFF_TEST = "staff_test"

    @property
    def recipient(self) -> Recipient | None:
        """To whom it goes; None for an alert, which goes to the person of its step."""
        if self is Template.SAFEGUARDING_ALERT:
            return None
        if self in _TO_CLIENTS:
            return Recipient.CLIENT
        if self in TO_STAFF:
            return Recipient.STAFF
        return Recipient.OFFICE if self in _TO_THE_OFFICE else Recipient.THERAPIST

    def recipients(self, *, client: bool, writer: bool) -> tuple[Recipient, ...]:
        """Who gets it: the client, or if nobody may write to the client, whoever wrote for them.

        Whoever wrote is told in any case that the request came.
        """
        told: tuple[Recipient, ...] = (Recipient.CLIENT,) if client else ()
        stands_in = not client and self in _FOR_WRITERS
        return (*told, Recipient.WRITER) if writer and (stands_in or self is Template.REQUEST_RECEIVED) else told

    @property
    def writers_wording(self) -> str | None:
        """The name of the wording that whoever wrote for a client gets; None if it never goes to them."""
        return f"writer_{self.value}" if self in _FOR_WRITERS else None

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


_CAN_WAIT = frozenset(
    {
        Template.AGREEMENT_AWAITED,
        Template.COURSE_AWAITED,
        Template.THERAPIST_REPORTED,
        Template.MATCHING_STALLED,
        Template.ASSESSMENT_OVERDUE,
        Template.MESSAGE_FAILED,
        Template.ATTENDANCE_UNRECORDED,
        Template.SUBSIDY_TO_LOOK_AT,
        Template.THERAPIST_NOT_ANSWERING,
    }
)
_TO_CLIENTS = frozenset(
    {
        Template.REQUEST_RECEIVED,
        Template.CONSENT_NEEDED,
        Template.CONTACT_CODE,
        Template.CONTACT_MOVED,
        Template.MATCHED,
        Template.SUBSIDY_APPROVED,
        Template.SUBSIDY_WAITING,
        Template.SUBSIDY_DECLINED,
        Template.SIGNPOSTED,
        Template.WITHDRAWAL_CONFIRMED,
        Template.REQUEST_GOES_ON,
        Template.CLIENT_EVALUATION,
        Template.PERSONAL_MESSAGE,
    }
)
TO_ENCLOSED_CONTACT = frozenset({Template.CONTACT_CODE, Template.CONTACT_MOVED})
"""What goes to the contact that came sealed with the message, and to no other."""

TO_STAFF = frozenset({Template.STAFF_LINK, Template.STAFF_TOLD, Template.STAFF_TEST})
"""What goes to one of those who have accounts."""

_FOR_WRITERS = _TO_CLIENTS - {Template.CLIENT_EVALUATION} - TO_ENCLOSED_CONTACT
_TO_THE_OFFICE = frozenset(
    {
        Template.REQUEST_ARRIVED,
        Template.REQUEST_UNREADABLE,
        Template.NEW_CONTACT_NAMED,
        Template.ANOTHER_WANTED,
        Template.AGREEMENT_AWAITED,
        Template.COURSE_AWAITED,
        Template.THERAPIST_REPORTED,
        Template.MATCHING_STALLED,
        Template.THERAPIST_NOT_ANSWERING,
        Template.ASSESSMENT_OVERDUE,
        Template.ERASURE_OVERDUE,
        Template.MESSAGE_FAILED,
        Template.ROTA_GAP,
        Template.READINGS_STOPPED,
        Template.ATTENDANCE_UNRECORDED,
        Template.SUBSIDY_TO_LOOK_AT,
    }
)
_END_WITH_WITHDRAWAL = (_TO_CLIENTS - {Template.WITHDRAWAL_CONFIRMED}) | {
    Template.OFFER,
    Template.INTRODUCTION,
    Template.CONTACT_CHANGED,
    Template.CLIENT_CODE,
    Template.THERAPIST_EVALUATION,
    Template.REQUEST_ARRIVED,
    Template.NEW_CONTACT_NAMED,
    Template.ANOTHER_WANTED,
    Template.AGREEMENT_AWAITED,
    Template.COURSE_AWAITED,
    Template.THERAPIST_REPORTED,
    Template.MATCHING_STALLED,
    Template.ASSESSMENT_OVERDUE,
    Template.SUBSIDY_ASSIGNED,
    Template.SUBSIDY_TO_LOOK_AT,
}
