"""Queues messages: one for each fact, to people who can be reached, none after a withdrawal. Cancels and fails them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from chassis.ports import NotYet, UnitOfWork
from chassis.privacy.opening import open_or_park
from contracts.events.notifications import MessageFailed
from contracts.sealed import LinkSecret
from contracts.vocabulary import Channel, ConcernId, FailureReason, MessageId, ReferralId, TherapistId
from services.notifications.application.contacts import contact_for, finish_withdrawal, open_contact, way_to_contact
from services.notifications.dependencies import Dependencies
from services.notifications.domain.limits import next_digest
from services.notifications.domain.messages import Coded, Message
from services.notifications.domain.safe_contact import (
    NoAddress,
    WaitForCall,
    Way,
    WriteLater,
)
from services.notifications.domain.templates import Recipient, Template
from services.notifications.store import messages, people

SEND_MESSAGE, SEND_ALERT, SEND_DIGEST = "send_message", "send_alert", "send_digest"


@dataclass(frozen=True)
class About:
    """What a message is about, and the therapist whom it goes to, if it goes to one."""

    referral_id: ReferralId | None = None
    therapist_id: TherapistId | None = None
    concern_id: ConcernId | None = None


def queue_to_client(
    unit: UnitOfWork[Dependencies],
    template: Template,
    *,
    referral_id: ReferralId,
    key: UUID | str,
    data: Coded | None = None,
    sealed: str | None = None,
) -> None:
    """Raises NotYet until the client's address has arrived. Does nothing once it was removed."""
    client = people.client_as_known(unit.session, referral_id)
    if client and (client.is_removed or (client.is_withdrawn and template.ends_with_withdrawal)):
        return
    if client is None or client.contact is None:
        raise NotYet("the client's address has not arrived yet")
    known = open_contact(unit, client)
    recipients = template.recipients(client=known.contact is not None, writer=known.writer is not None)
    for recipient in recipients or (Recipient.CLIENT,):  # whom nobody can write to, the office looks after
        way = way_to_contact(unit, contact_for(known, recipient))
        about = About(referral_id)
        message = _add(unit, template, recipient, about, key=key, data=data, sealed=sealed, channel=way.channel)
        if message:
            _start(unit, message, way)


def queue_to_enclosed_contact(
    unit: UnitOfWork[Dependencies], template: Template, *, referral_id: ReferralId, key: str, data: Coded, sealed: str
) -> None:
    """To the contact that came sealed with the message, whatever the address book says."""
    if _is_overtaken(unit, template, referral_id):
        return
    message = _add(unit, template, Recipient.CLIENT, About(referral_id), key=key, data=data, sealed=sealed)
    if message:
        unit.set_timer(SEND_MESSAGE, message.id, unit.now)


def queue_to_therapist(
    unit: UnitOfWork[Dependencies],
    template: Template,
    *,
    therapist_id: TherapistId,
    key: UUID | str,
    referral_id: ReferralId | None = None,
    data: Coded | None = None,
    sealed: str | None = None,
    channel: Channel = Channel.EMAIL,
) -> MessageId | None:
    """Returns the message's id, if it is a new one. Raises NotYet until the therapist's address has arrived."""
    if _is_overtaken(unit, template, referral_id):
        return None
    if not people.knows_therapist(unit.session, therapist_id):
        raise NotYet("the therapist's address has not arrived yet")
    about = About(referral_id, therapist_id)
    message = _add(unit, template, Recipient.THERAPIST, about, key=key, data=data, sealed=sealed, channel=channel)
    if message is None:
        return None
    unit.set_timer(SEND_MESSAGE, message.id, unit.now)
    return message.id


def queue_to_office(
    unit: UnitOfWork[Dependencies], template: Template, *, key: UUID | str, referral_id: ReferralId | None, data: Coded
) -> None:
    """What can wait is gathered into the next digest, if the settings name times for that."""
    if _is_overtaken(unit, template, referral_id):
        return
    message = _add(unit, template, Recipient.OFFICE, About(referral_id), key=key, data=data)
    times = unit.dependencies.settings.digest_at
    if message and times and template.can_wait:
        digest = next_digest(times, at=unit.now)
        unit.set_timer(SEND_DIGEST, digest.isoformat(), digest)
    elif message:
        unit.set_timer(SEND_MESSAGE, message.id, unit.now)


def queue_to_staff(
    unit: UnitOfWork[Dependencies], template: Template, *, key: UUID | str, data: Coded, sealed: str
) -> None:
    """To somebody with an account, at the address in `sealed`, at once and at any hour: they wait for it."""
    message = _add(unit, template, Recipient.STAFF, About(), key=key, data=data, sealed=sealed)
    if message:
        unit.set_timer(SEND_MESSAGE, message.id, unit.now)


def queue_alert(
    unit: UnitOfWork[Dependencies],
    *,
    recipient: Recipient,
    key: UUID | str,
    concern_id: ConcernId,
    referral_id: ReferralId | None,
    data: Coded,
    sealed: str,
    channel: Channel = Channel.EMAIL,
) -> MessageId | None:
    """An alert goes at once, at any hour, ahead of every other message. Returns its id, if it is a new one."""
    about = About(referral_id, concern_id=concern_id)
    message = _add(
        unit, Template.SAFEGUARDING_ALERT, recipient, about, key=key, data=data, sealed=sealed, channel=channel
    )
    if message is None:
        return None
    unit.set_timer(SEND_ALERT, message.id, unit.now)
    return message.id


def check_link_secret(unit: UnitOfWork[Dependencies], sealed: str) -> None:
    """No message is queued with a link that couldn't be opened when it is sent. Raises Invalid."""
    open_or_park(unit.dependencies.keyring, LinkSecret, sealed)


def find_message(unit: UnitOfWork[Dependencies], template: Template, *, key: UUID | str) -> Message | None:
    """The message of a fact, if it was ever queued or ruled out."""
    return messages.find_message_by_key(unit.session, _business_key(template, key))


def rule_out(
    unit: UnitOfWork[Dependencies], template: Template, *, key: UUID | str, referral_id: ReferralId
) -> Message:
    """Cancels the message of a fact that is overtaken, or sees that it is never queued if it wasn't yet.

    Returns the message, whatever its state.
    """
    message = find_message(unit, template, key=key)
    if message is None:
        added = _add(unit, template, template.recipient or Recipient.OFFICE, About(referral_id), key=key)
        assert added is not None
        message = messages.get_message(unit.session, added.id)
    if message.is_queued:
        cancel(unit, message)
    return message


def cancel(unit: UnitOfWork[Dependencies], message: Message) -> None:
    message.cancel(at=unit.now)
    unit.cancel_timer(SEND_ALERT if message.template is Template.SAFEGUARDING_ALERT else SEND_MESSAGE, message.id)


def fail(unit: UnitOfWork[Dependencies], message: Message, reason: FailureReason) -> None:
    """Fails a message, announces that, and has the office see to it."""
    message.fail(reason=reason, at=unit.now)
    _report_failure(unit, message, reason)


def bounce(unit: UnitOfWork[Dependencies], message: Message) -> None:
    """The same for a message that was sent and came back."""
    message.bounce(at=unit.now)
    _report_failure(unit, message, FailureReason.BOUNCED)


def _report_failure(unit: UnitOfWork[Dependencies], message: Message, reason: FailureReason) -> None:
    unit.emit(
        MessageFailed(
            message_id=message.id,
            template=message.template.value,
            channel=message.channel,
            reason=reason,
            referral_id=message.referral_id,
        )
    )
    if not message.recipient.is_staff:
        data = {"message_id": str(message.id), "failed": message.template.value, "reason": reason.value}
        queue_to_office(unit, Template.MESSAGE_FAILED, key=message.id, referral_id=message.referral_id, data=data)


def _start(unit: UnitOfWork[Dependencies], message: Message, way: Way) -> None:
    """Sets off a new message by how the client can be reached now; that is looked up again when it is sent."""
    match way:
        case WaitForCall():
            for_their_call = messages.get_message(unit.session, message.id)
            for_their_call.await_call(at=unit.now)
            finish_withdrawal(unit, for_their_call)
        case NoAddress():
            failed = messages.get_message(unit.session, message.id)
            fail(unit, failed, FailureReason.NO_ADDRESS)
            finish_withdrawal(unit, failed)
        case _:
            unit.set_timer(SEND_MESSAGE, message.id, way.at if isinstance(way, WriteLater) else unit.now)


def _is_overtaken(unit: UnitOfWork[Dependencies], template: Template, referral_id: ReferralId | None) -> bool:
    """Whether the referral was withdrawn, so that this message has no point."""
    if referral_id is None or not template.ends_with_withdrawal:
        return False
    client = people.client_as_known(unit.session, referral_id)
    return client is not None and client.is_withdrawn


def _add(
    unit: UnitOfWork[Dependencies],
    template: Template,
    recipient: Recipient,
    about: About,
    *,
    key: UUID | str,
    data: Coded | None = None,
    sealed: str | None = None,
    channel: Channel = Channel.EMAIL,
) -> Message | None:
    """Writes a new message. None if there is one of this fact already."""
    message = Message(
        id=MessageId(unit.new_id()),
        business_key=_business_key(template, f"{key}:writer" if recipient is Recipient.WRITER else key),
        template=template,
        recipient=recipient,
        queued_at=unit.now,
        channel=channel,
        data=data or {},
        sealed=sealed,
        referral_id=about.referral_id,
        therapist_id=about.therapist_id,
        concern_id=about.concern_id,
    )
    return message if messages.add_message(unit.session, message) else None


def _business_key(template: Template, key: UUID | str) -> str:
    return f"{template}:{key}"
