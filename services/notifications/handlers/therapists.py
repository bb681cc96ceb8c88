"""What therapists are told: offers, money, and their standing."""

from __future__ import annotations

from chassis.ports import Unit
from contracts.events.billing import (
    MembershipLapsed,
    MembershipRenewed,
    MembershipStarted,
    PaymentReceived,
    ReferralFeeCharged,
    ReferralFeeCredited,
)
from contracts.events.matching import OfferWithdrawn, TherapistOffered, TherapistReinstated, TherapistSuspended
from services.notifications import store
from services.notifications.domain.messages import Coded, State
from services.notifications.domain.templates import Template
from services.notifications.handlers.queueing import queue_to_therapist, rule_out
from services.notifications.tools import Tools

MEMBERSHIP = "membership"


def send_offer(unit: Unit[Tools], event: TherapistOffered) -> None:
    """Tells of an offer with what is needed to judge it by, and nothing about who the client is."""
    data = {
        "offer_id": str(event.offer_id),
        "expires_at": event.expires_at.isoformat(),
        "work": event.work.value,
        "sessions": event.sessions.value,
        "distance_km": round(event.distance_km),
    }
    queue_to_therapist(
        unit,
        Template.OFFER,
        therapist_id=event.therapist_id,
        referral_id=event.referral_id,
        key=event.offer_id,
        data=data,
    )


def take_offer_back(unit: Unit[Tools], event: OfferWithdrawn) -> None:
    """A therapist who has not been told of the offer need not be told that it is gone."""
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


def tell_of_membership(unit: Unit[Tools], event: MembershipStarted) -> None:
    _tell_of_fee(unit, Template.MEMBERSHIP_STARTED, event)


def tell_of_renewal(unit: Unit[Tools], event: MembershipRenewed) -> None:
    _tell_of_fee(unit, Template.MEMBERSHIP_RENEWED, event)


def tell_of_lapse(unit: Unit[Tools], event: MembershipLapsed) -> None:
    """Says nothing if the membership has been renewed since."""
    if store.moves_on(unit.session, event.therapist_id, MEMBERSHIP, unit.sequence):
        queue_to_therapist(
            unit,
            Template.MEMBERSHIP_LAPSED,
            therapist_id=event.therapist_id,
            key=event.invoice_id,
            data={"invoice_id": str(event.invoice_id), "lapsed_on": event.lapsed_on.isoformat()},
        )


def tell_of_referral_fee(unit: Unit[Tools], event: ReferralFeeCharged) -> None:
    queue_to_therapist(
        unit,
        Template.REFERRAL_FEE_CHARGED,
        therapist_id=event.therapist_id,
        referral_id=event.referral_id,
        key=event.invoice_id,
        data={"invoice_id": str(event.invoice_id), "amount_pence": event.amount_pence},
    )


def tell_of_credit(unit: Unit[Tools], event: ReferralFeeCredited) -> None:
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
        },
    )


def send_receipt(unit: Unit[Tools], event: PaymentReceived) -> None:
    queue_to_therapist(
        unit,
        Template.PAYMENT_RECEIVED,
        therapist_id=event.therapist_id,
        key=event.payment_id,
        data={"invoice_id": str(event.invoice_id), "amount_pence": event.amount_pence},
    )


def tell_of_suspension(unit: Unit[Tools], event: TherapistSuspended) -> None:
    _tell_of_standing(unit, Template.THERAPIST_SUSPENDED, event)


def tell_of_reinstatement(unit: Unit[Tools], event: TherapistReinstated) -> None:
    _tell_of_standing(unit, Template.THERAPIST_REINSTATED, event)


def _tell_of_fee(unit: Unit[Tools], template: Template, event: MembershipStarted | MembershipRenewed) -> None:
    store.moves_on(unit.session, event.therapist_id, MEMBERSHIP, unit.sequence)
    data: Coded = {
        "invoice_id": str(event.invoice_id),
        "amount_pence": event.amount_pence,
        "starts_on": event.starts_on.isoformat(),
        "ends_on": event.ends_on.isoformat(),
    }
    queue_to_therapist(unit, template, therapist_id=event.therapist_id, key=event.invoice_id, data=data)


def _tell_of_standing(unit: Unit[Tools], template: Template, event: TherapistSuspended | TherapistReinstated) -> None:
    """Each reason has a standing of its own, of which only the newest fact is told."""
    if store.moves_on(unit.session, event.therapist_id, event.reason.value, unit.sequence):
        queue_to_therapist(
            unit,
            template,
            therapist_id=event.therapist_id,
            key=f"{event.therapist_id}:{unit.sequence}",
            data={"reason": event.reason.value},
        )
