"""The address book: how clients and therapists are reached, and when that is forgotten."""

from __future__ import annotations

from uuid import UUID

from chassis.ports import Invalid, Timer, UnitOfWork
from chassis.privacy.opening import open_or_park
from contracts.events.intake import (
    ContactReleased,
    ReferralClosed,
    ReferralReopened,
    ReferralSignposted,
    ReferralWithdrawn,
)
from contracts.events.matching import TherapistContactChanged
from contracts.sealed import ClientContact, TherapistContact
from contracts.vocabulary import ContactPurpose, ReferralId, ReopeningReason, WithdrawalReason
from services.notifications.application import introductions
from services.notifications.application.contacts import FORGET_CLIENT, encrypt_contact, forget_withdrawn, remove_address
from services.notifications.application.queueing import cancel, queue_to_client
from services.notifications.dependencies import Dependencies
from services.notifications.domain.people import Client, Therapist
from services.notifications.domain.templates import Template
from services.notifications.store import messages, people

_ENDINGS = frozenset({Template.WITHDRAWAL_CONFIRMED, Template.SIGNPOSTED})


def record_contact(unit: UnitOfWork[Dependencies], event: ContactReleased) -> None:
    """Takes a client into the address book, or passes their contact on to the one therapist who accepted."""
    contact = open_or_park(unit.dependencies.keyring, ClientContact, event.sealed)
    if contact.referral_id != event.referral_id:
        raise Invalid("the sealed contact is another referral's")
    if event.purpose is ContactPurpose.ADDRESS_BOOK:
        _record_client_contact(unit, contact)
    else:
        introductions.introduce(unit, event, contact)


def record_therapist_contact(unit: UnitOfWork[Dependencies], event: TherapistContactChanged) -> None:
    contact = open_or_park(unit.dependencies.keyring, TherapistContact, event.sealed)
    sequence = unit.sequence
    therapist = people.find_therapist(unit.session, event.therapist_id)
    if therapist and not therapist.takes(sequence):
        return
    stored = encrypt_contact(unit, event.therapist_id, contact)
    if therapist is None:
        unit.session.add(Therapist(therapist_id=event.therapist_id, contact=stored, contact_sequence=sequence))
    else:
        therapist.contact, therapist.contact_sequence = stored, sequence


def withdraw(unit: UnitOfWork[Dependencies], event: ReferralWithdrawn) -> None:
    """Cancels what was queued, confirms the withdrawal to a client who asked for it, and then forgets their address."""
    if event.reason is WithdrawalReason.DUPLICATE:
        return  # the client asked for nothing, and the referral may be reopened
    client = people.client_of(unit.session, event.referral_id)
    if not client.withdraw(at=unit.now, sequence=unit.sequence, keep_until=event.final_at):
        return
    for message in messages.queued_about_referral(unit.session, event.referral_id):
        if message.template.ends_with_withdrawal:
            cancel(unit, message)
    unit.cancel_timer(FORGET_CLIENT, event.referral_id)
    if event.reason is WithdrawalReason.NO_CONTACT:
        forget_withdrawn(unit, client)
    elif client.contact:
        _confirm_withdrawal(unit, client)


def reopen(unit: UnitOfWork[Dependencies], event: ReferralReopened) -> None:
    """A request that was withdrawn or signposted by mistake goes on, and the client is told so.

    They were never told that a request was closed with its match, so then there is nothing to correct.
    """
    client = people.client_of(unit.session, event.referral_id)
    was_withdrawn = client.is_withdrawn
    if event.reason is ReopeningReason.UNMERGED or not client.reopen(sequence=unit.sequence):
        return
    unit.cancel_timer(FORGET_CLIENT, event.referral_id)
    if event.reason is ReopeningReason.MATCH_GOES_ON:
        return
    queued = messages.queued_about_referral(unit.session, event.referral_id)
    unsent = [message for message in queued if message.template in _ENDINGS]
    for message in unsent:
        cancel(unit, message)
    if client.contact and (was_withdrawn or not unsent):
        key = f"{event.referral_id}:{unit.sequence}"
        queue_to_client(unit, Template.REQUEST_GOES_ON, referral_id=event.referral_id, key=key)


def close(unit: UnitOfWork[Dependencies], event: ReferralClosed) -> None:
    """Keeps the address for what still follows a therapy, such as the follow-up form, and then forgets it."""
    _forget_later(unit, event.referral_id)


def signpost(unit: UnitOfWork[Dependencies], event: ReferralSignposted) -> None:
    queue_to_client(unit, Template.SIGNPOSTED, referral_id=event.referral_id, key=event.referral_id)
    _forget_later(unit, event.referral_id)


def forget_client(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    remove_address(unit, people.client_of(unit.session, ReferralId(UUID(timer.key))))


def _record_client_contact(unit: UnitOfWork[Dependencies], contact: ClientContact) -> None:
    client = people.client_of(unit.session, contact.referral_id)
    if not client.takes(unit.sequence):
        return
    stored = encrypt_contact(unit, contact.referral_id, contact)
    client.record_contact(stored, sequence=unit.sequence)
    if client.is_withdrawn:
        _confirm_withdrawal(unit, client)
    else:
        queue_to_client(unit, Template.REQUEST_RECEIVED, referral_id=contact.referral_id, key=contact.referral_id)


def _confirm_withdrawal(unit: UnitOfWork[Dependencies], client: Client) -> None:
    """One message for each withdrawal, by the number that intake gave it."""
    key = f"{client.referral_id}:{client.standing_sequence}"
    queue_to_client(unit, Template.WITHDRAWAL_CONFIRMED, referral_id=client.referral_id, key=key)


def _forget_later(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> None:
    client = people.client_of(unit.session, referral_id)
    if not client.is_withdrawn and not client.goes_on_since(unit.sequence):
        unit.set_timer(FORGET_CLIENT, referral_id, unit.now + unit.dependencies.settings.keep_closed_contacts)
