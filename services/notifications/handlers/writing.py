"""A person of the charity writes to a client, or to whoever wrote for them, in the way that is safe for them."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.commands.notifications import WriteToClient, WrittenToClient
from contracts.sealed import ClientContact, SafeChannel, WordsToClient
from services.notifications.application.contacts import contact_for, open_contact, way_to_contact
from services.notifications.application.encryption import open_sealed
from services.notifications.application.queueing import queue_to_client
from services.notifications.dependencies import Dependencies
from services.notifications.domain.safe_contact import WriteLater, WriteNow
from services.notifications.domain.templates import Recipient, Template
from services.notifications.errors import NotWrittenTo
from services.notifications.store import people


def write_to_client(unit: UnitOfWork[Dependencies], request: WriteToClient) -> WrittenToClient:
    """Queues the message like every other: at safe hours, by the safe way, and never after a withdrawal.

    Raises NotReadable, NotWrittenTo.
    """
    open_sealed(unit, WordsToClient, request.words)
    client = people.client_as_known(unit.session, request.referral_id)
    if client is None or client.contact is None:
        raise NotWrittenTo("How they are reached isn’t known here, or was forgotten.")
    if client.is_withdrawn:
        raise NotWrittenTo("The request was taken back, and nothing is sent about it any more.")
    answer = _way(unit, open_contact(unit, client))
    queue_to_client(
        unit, Template.PERSONAL_MESSAGE, referral_id=request.referral_id, key=unit.new_id(), sealed=request.words
    )
    return answer


def _way(unit: UnitOfWork[Dependencies], known: ClientContact) -> WrittenToClient:
    """Raises NotWrittenTo for whom only a person may get in touch with."""
    recipient = Recipient.CLIENT if known.contact else Recipient.WRITER
    contact = contact_for(known, recipient)
    way = way_to_contact(unit, contact)
    if contact is None or not isinstance(way, WriteNow | WriteLater):
        raise NotWrittenTo(
            "Nothing may be sent to them. Read how they are reached, reach them in that way, and add a note."
        )
    return WrittenToClient(
        recipient=recipient.value,
        channel=way.channel,
        in_full=not contact.discreet and contact.channel is not SafeChannel.TEXT,
    )
