"""How clients and therapists are reached: decrypted, encrypted and forgotten. `domain.people` has the rules."""

from __future__ import annotations

from uuid import UUID

from chassis.ports import Invalid, UnitOfWork
from chassis.privacy.vault import Erased
from contracts.sealed import (
    ClientContact,
    SafeContact,
    TherapistContact,
)
from contracts.shape import Shape
from contracts.vocabulary import (
    Channel,
    ReferralId,
    TherapistId,
)
from services.notifications.dependencies import Dependencies
from services.notifications.domain.messages import Message
from services.notifications.domain.people import Client
from services.notifications.domain.safe_contact import (
    NoAddress,
    Way,
    way_to_reach,
)
from services.notifications.domain.templates import Recipient, Template
from services.notifications.store import introductions, people

FORGET_CLIENT = "forget_client"


def contact_for(known: ClientContact, recipient: Recipient) -> SafeContact | None:
    """How the client, or whoever wrote for them, may be reached now; None if they may not or can't be."""
    if recipient is Recipient.WRITER:
        return known.writer.contact if known.writer else None
    return known.contact


def open_contact(unit: UnitOfWork[Dependencies], client: Client) -> ClientContact:
    assert client.contact is not None
    return unit.dependencies.vault.decrypt(unit.session, client.referral_id, ClientContact, client.contact)


def encrypt_contact(unit: UnitOfWork[Dependencies], subject_id: UUID, contact: Shape) -> bytes:
    """Raises Invalid for somebody who was erased: nothing is ever stored about them again."""
    try:
        return unit.dependencies.vault.encrypt(unit.session, subject_id, contact, at=unit.now)
    except Erased as error:
        raise Invalid(str(error)) from None


def remove_address(unit: UnitOfWork[Dependencies], client: Client) -> None:
    """Forgets for good how a client is reached. With their key gone, no backup can tell it either."""
    client.remove(at=unit.now)
    introductions.forget(unit.session, client.referral_id)
    unit.dependencies.vault.destroy(unit.session, client.referral_id, at=unit.now)


def finish_withdrawal(unit: UnitOfWork[Dependencies], message: Message) -> None:
    """Once a withdrawal is confirmed, or can't be, nothing is left to write to the client about."""
    if message.template is Template.WITHDRAWAL_CONFIRMED and not message.is_queued and message.referral_id:
        client = people.client_of(unit.session, message.referral_id)
        if client.is_withdrawn:
            forget_withdrawn(unit, client)


def forget_withdrawn(unit: UnitOfWork[Dependencies], client: Client) -> None:
    """Forgets the address; later, where the withdrawal may turn out to be a mistake."""
    if client.keep_until and client.keep_until > unit.now:
        unit.set_timer(FORGET_CLIENT, client.referral_id, client.keep_until)
    else:
        remove_address(unit, client)


def way_to_contact(unit: UnitOfWork[Dependencies], contact: SafeContact | None) -> Way:
    """What may be done now to reach somebody who asked for help."""
    if contact is None:
        return NoAddress(Channel.EMAIL)
    return way_to_reach(
        contact=contact, at=unit.now, quiet=unit.dependencies.settings.quiet_hours, by_hand=unit.dependencies.by_hand
    )


def therapist_contact(unit: UnitOfWork[Dependencies], therapist_id: TherapistId) -> TherapistContact:
    """How a therapist who was written to is reached now."""
    therapist = people.read_therapist(unit.session, therapist_id)
    assert therapist is not None
    return unit.dependencies.vault.decrypt(unit.session, therapist.therapist_id, TherapistContact, therapist.contact)


def reference_of(unit: UnitOfWork[Dependencies], referral_id: ReferralId | None) -> str | None:
    """The reference of a request, by which the office and a therapist know it; None once it is forgotten,
    and before it has come: a concern overtakes the contact of its request.
    """
    client = people.read_client(unit.session, referral_id) if referral_id else None
    return open_contact(unit, client).reference if client and client.contact else None


def is_forgotten(unit: UnitOfWork[Dependencies], referral_id: ReferralId | None) -> bool:
    """Whether what was known of a client is gone, and not merely still to come."""
    client = people.read_client(unit.session, referral_id) if referral_id else None
    return client is not None and client.contact is None
