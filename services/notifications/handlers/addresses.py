"""The address book: how clients and therapists are reached, and when that is forgotten."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from chassis.ports import Invalid, Timer, Unit
from chassis.sealing import Unopenable
from contracts.events.intake import ContactReleased, ReferralClosed, ReferralSignposted, ReferralWithdrawn
from contracts.events.matching import TherapistContactChanged
from contracts.sealed import ClientContact, TherapistContact
from contracts.shape import InvalidShape, Shape
from contracts.vocabulary import ContactPurpose, ReferralId, WithdrawalReason
from services.notifications import store
from services.notifications.domain.people import Therapist
from services.notifications.domain.templates import Template
from services.notifications.handlers.queueing import (
    cancel,
    queue_to_client,
    queue_to_therapist,
    remove_address,
)
from services.notifications.tools import Tools

ShapeT = TypeVar("ShapeT", bound=Shape)
FORGET_CLIENT = "forget_client"


def keep_contact(unit: Unit[Tools], event: ContactReleased) -> None:
    """Takes a client into the address book, or passes their contact on to the one therapist who accepted."""
    contact = _open(unit, ClientContact, event.sealed)
    if contact.referral_id != event.referral_id:
        raise Invalid("the sealed contact is another referral's")
    if event.purpose is ContactPurpose.INTRODUCTION:
        _introduce(unit, event)
    else:
        _take_in(unit, contact)


def keep_therapist_contact(unit: Unit[Tools], event: TherapistContactChanged) -> None:
    contact = _open(unit, TherapistContact, event.sealed)
    sequence = unit.sequence
    therapist = store.find_therapist(unit.session, event.therapist_id)
    if therapist and not therapist.takes(sequence):
        return
    stored = unit.tools.vault.encrypt(unit.session, event.therapist_id, contact, at=unit.now)
    if therapist is None:
        unit.session.add(Therapist(therapist_id=event.therapist_id, contact=stored, contact_sequence=sequence))
    else:
        therapist.contact, therapist.contact_sequence = stored, sequence


def withdraw(unit: Unit[Tools], event: ReferralWithdrawn) -> None:
    """Stops what was going to be said, confirms it to a client who asked, and then forgets how to reach them."""
    if event.reason is WithdrawalReason.DUPLICATE:
        return  # the client asked for nothing, and the referral may be reopened
    client = store.client_of(unit.session, event.referral_id)
    if not client.withdraw(at=unit.now):
        return
    for message in store.queued_about_referral(unit.session, event.referral_id):
        if message.template.ends_with_withdrawal:
            cancel(unit, message)
    unit.cancel_timer(FORGET_CLIENT, event.referral_id)
    if event.reason is WithdrawalReason.NO_CONTACT:
        remove_address(unit, client)
    elif client.contact:
        _confirm_withdrawal(unit, event.referral_id)


def close(unit: Unit[Tools], event: ReferralClosed) -> None:
    """Keeps the address for what still follows a therapy, such as the follow-up form, and no longer."""
    _forget_later(unit, event.referral_id)


def signpost(unit: Unit[Tools], event: ReferralSignposted) -> None:
    queue_to_client(unit, Template.SIGNPOSTED, referral_id=event.referral_id, key=event.referral_id)
    _forget_later(unit, event.referral_id)


def forget_client(unit: Unit[Tools], timer: Timer) -> None:
    remove_address(unit, store.client_of(unit.session, ReferralId(UUID(timer.key))))


def _take_in(unit: Unit[Tools], contact: ClientContact) -> None:
    client = store.client_of(unit.session, contact.referral_id)
    if not client.takes(unit.sequence):
        return
    stored = unit.tools.vault.encrypt(unit.session, contact.referral_id, contact, at=unit.now)
    client.keep(stored, sequence=unit.sequence)
    if client.is_withdrawn:
        _confirm_withdrawal(unit, contact.referral_id)
    else:
        queue_to_client(unit, Template.REQUEST_RECEIVED, referral_id=contact.referral_id, key=contact.referral_id)


def _introduce(unit: Unit[Tools], event: ContactReleased) -> None:
    if event.therapist_id is None:
        raise Invalid("an introduction names no therapist")
    queue_to_therapist(
        unit,
        Template.INTRODUCTION,
        therapist_id=event.therapist_id,
        referral_id=event.referral_id,
        key=f"{event.referral_id}:{event.therapist_id}",
        sealed=event.sealed,
    )


def _confirm_withdrawal(unit: Unit[Tools], referral_id: ReferralId) -> None:
    queue_to_client(unit, Template.WITHDRAWAL_CONFIRMED, referral_id=referral_id, key=referral_id)


def _forget_later(unit: Unit[Tools], referral_id: ReferralId) -> None:
    client = store.client_of(unit.session, referral_id)
    if not client.is_withdrawn:
        unit.set_timer(FORGET_CLIENT, referral_id, unit.now + unit.tools.settings.keep_closed_contacts)


def _open(unit: Unit[Tools], kind: type[ShapeT], sealed: str) -> ShapeT:
    try:
        return unit.tools.keyring.open(kind, sealed)
    except (Unopenable, InvalidShape) as error:
        raise Invalid(str(error)) from None
