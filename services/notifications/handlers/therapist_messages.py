"""Messages to therapists: offers, money, suspensions."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.billing import (
    MembershipLapsed,
    MembershipReminded,
    MembershipRenewed,
    MembershipStarted,
    PaymentReceived,
    PaymentReversed,
    ReferralFeeCharged,
    ReferralFeeCredited,
    ReferralFeeCreditReversed,
    SubsidyAssigned,
)
from contracts.events.matching import OfferWithdrawn, TherapistOffered, TherapistReinstated, TherapistSuspended
from services.notifications.application.queueing import check_link_secret, find_message, queue_to_therapist, rule_out
from services.notifications.dependencies import Dependencies
from services.notifications.domain.messages import Coded, State
from services.notifications.domain.templates import Template
from services.notifications.store import introductions, latest_facts

MEMBERSHIP = "membership"


def send_offer(unit: UnitOfWork[Dependencies], event: TherapistOffered) -> None:
    """Says that there is an offer, and links to the page that shows what is needed to decide, and takes the answer."""
    if event.sealed:
        check_link_secret(unit, event.sealed)
    data = {"offer_id": str(event.offer_id), "expires_at": event.expires_at.isoformat()}
    queue_to_therapist(
        unit,
        Template.OFFER,
        therapist_id=event.therapist_id,
        referral_id=event.referral_id,
        key=event.offer_id,
        data=data,
        sealed=event.sealed,
    )


def withdraw_offer(unit: UnitOfWork[Dependencies], event: OfferWithdrawn) -> None:
    """A therapist who was not told of the offer need not be told that it is withdrawn."""
    offer = rule_out(unit, Template.OFFER, key=event.offer_id, referral_id=event.referral_id)
    if offer.state is State.SENT:
        queue_to_therapist(
            unit,
            Template.OFFER_WITHDRAWN,
            therapist_id=event.therapist_id,
            referral_id=event.referral_id,
            key=event.offer_id,
            data={"offer_id": str(event.offer_id)},
        )


def notify_of_membership(unit: UnitOfWork[Dependencies], event: MembershipStarted) -> None:
    _notify_of_fee(unit, Template.MEMBERSHIP_STARTED, event)


def notify_of_renewal(unit: UnitOfWork[Dependencies], event: MembershipRenewed) -> None:
    _notify_of_fee(unit, Template.MEMBERSHIP_RENEWED, event)


def notify_of_lapse(unit: UnitOfWork[Dependencies], event: MembershipLapsed) -> None:
    """Not if the membership has been renewed since."""
    if latest_facts.advance(unit.session, event.therapist_id, MEMBERSHIP, unit.sequence):
        queue_to_therapist(
            unit,
            Template.MEMBERSHIP_LAPSED,
            therapist_id=event.therapist_id,
            key=event.invoice_id,
            data={"invoice_id": str(event.invoice_id), "lapsed_on": event.lapsed_on.isoformat()},
        )


def notify_of_reminder(unit: UnitOfWork[Dependencies], event: MembershipReminded) -> None:
    """Not if the membership has been renewed, or has lapsed, since."""
    if latest_facts.advance(unit.session, event.therapist_id, MEMBERSHIP, unit.sequence):
        queue_to_therapist(
            unit,
            Template.MEMBERSHIP_REMINDER,
            therapist_id=event.therapist_id,
            key=f"{event.invoice_id}:{event.lapses_on}",
            data={
                "invoice_id": str(event.invoice_id),
                "outstanding_pence": event.outstanding_pence,
                "lapses_on": event.lapses_on.isoformat(),
            },
        )


def notify_of_award(unit: UnitOfWork[Dependencies], event: SubsidyAssigned) -> None:
    """Says what a fund pays of each session, for how many and until when."""
    queue_to_therapist(
        unit,
        Template.SUBSIDY_ASSIGNED,
        therapist_id=event.therapist_id,
        referral_id=event.referral_id,
        key=f"{event.award_id}:{event.match_id}",
        data={
            "pence_per_session": event.pence_per_session,
            "sessions": event.sessions,
            "ends_on": event.ends_on.isoformat(),
            "begin_by": event.begin_by.isoformat() if event.begin_by else "",
        },
    )


def notify_of_referral_fee(unit: UnitOfWork[Dependencies], event: ReferralFeeCharged) -> None:
    queue_to_therapist(
        unit,
        Template.REFERRAL_FEE_CHARGED,
        therapist_id=event.therapist_id,
        referral_id=event.referral_id,
        key=event.invoice_id,
        data={
            "invoice_id": str(event.invoice_id),
            "amount_pence": event.amount_pence,
            "from_credit_pence": event.from_credit_pence or 0,
        },
    )


def notify_of_fee_owed_again(unit: UnitOfWork[Dependencies], event: ReferralFeeCreditReversed) -> None:
    """A therapist who was not told of the credit is told neither that it is gone nor, any more, of the credit."""
    credited = find_message(unit, Template.REFERRAL_FEE_CREDITED, key=event.credit_note_id)
    if credited and credited.state in (State.QUEUED, State.CANCELLED):
        rule_out(unit, Template.REFERRAL_FEE_CREDITED, key=event.credit_note_id, referral_id=event.referral_id)
        return
    queue_to_therapist(
        unit,
        Template.FEE_CREDIT_REVERSED,
        therapist_id=event.therapist_id,
        referral_id=event.referral_id,
        key=event.credit_note_id,
        data={
            "credit_note_id": str(event.credit_note_id),
            "invoice_id": str(event.invoice_id),
            "amount_pence": event.amount_pence,
        },
    )
    if credited is None:  # it is under way, and would say the opposite
        rule_out(unit, Template.REFERRAL_FEE_CREDITED, key=event.credit_note_id, referral_id=event.referral_id)


def notify_of_credit(unit: UnitOfWork[Dependencies], event: ReferralFeeCredited) -> None:
    queue_to_therapist(
        unit,
        Template.REFERRAL_FEE_CREDITED,
        therapist_id=event.therapist_id,
        referral_id=event.referral_id,
        key=event.credit_note_id,
        data={
            "credit_note_id": str(event.credit_note_id),
            "invoice_id": str(event.invoice_id),
            "amount_pence": event.amount_pence,
            "reason": event.reason.value if event.reason else "",
        },
    )


def send_receipt(unit: UnitOfWork[Dependencies], event: PaymentReceived) -> None:
    queue_to_therapist(
        unit,
        Template.PAYMENT_RECEIVED,
        therapist_id=event.therapist_id,
        key=event.payment_id,
        data={
            "invoice_id": str(event.invoice_id),
            "amount_pence": event.amount_pence,
            "outstanding_pence": event.outstanding_pence or 0,
            "credit_pence": event.credit_pence or 0,
        },
    )


def notify_of_reversed_payment(unit: UnitOfWork[Dependencies], event: PaymentReversed) -> None:
    queue_to_therapist(
        unit,
        Template.PAYMENT_REVERSED,
        therapist_id=event.therapist_id,
        key=event.payment_id,
        data={
            "invoice_id": str(event.invoice_id),
            "amount_pence": event.amount_pence,
            "reason": event.reason.value,
        },
    )


def notify_of_suspension(unit: UnitOfWork[Dependencies], event: TherapistSuspended) -> None:
    _notify_of_suspension_change(unit, Template.THERAPIST_SUSPENDED, event)


def notify_of_reinstatement(unit: UnitOfWork[Dependencies], event: TherapistReinstated) -> None:
    _notify_of_suspension_change(unit, Template.THERAPIST_REINSTATED, event)


def _notify_of_fee(
    unit: UnitOfWork[Dependencies], template: Template, event: MembershipStarted | MembershipRenewed
) -> None:
    latest_facts.advance(unit.session, event.therapist_id, MEMBERSHIP, unit.sequence)
    data: Coded = {
        "invoice_id": str(event.invoice_id),
        "amount_pence": event.amount_pence,
        "from_credit_pence": event.from_credit_pence or 0,
        "starts_on": event.starts_on.isoformat(),
        "ends_on": event.ends_on.isoformat(),
    }
    queue_to_therapist(unit, template, therapist_id=event.therapist_id, key=event.invoice_id, data=data)


def _notify_of_suspension_change(
    unit: UnitOfWork[Dependencies], template: Template, event: TherapistSuspended | TherapistReinstated
) -> None:
    """For each reason, only the newest fact is told."""
    if latest_facts.advance(unit.session, event.therapist_id, event.reason.value, unit.sequence):
        suspended = isinstance(event, TherapistSuspended)
        note = introductions.suspend if suspended else introductions.reinstate
        note(unit.session, event.therapist_id, event.reason)
        queue_to_therapist(
            unit,
            template,
            therapist_id=event.therapist_id,
            key=f"{event.therapist_id}:{unit.sequence}",
            data={"reason": event.reason.value},
        )
