"""Delivery: the only place where a message gets its text and its address, and where safe contact is enforced.

`deliver` may be repeated after a crash, so the Message-ID is derived from the message. Everything is looked up again at
the moment of sending: the client may have changed how they can be reached, or have withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chassis.ports import UnitOfWork
from contracts.events.notifications import MessageSent
from contracts.sealed import ClientContact, SafeHours
from contracts.typed.telephones import as_e164
from contracts.vocabulary import Channel, FailureReason, MessageId, StaffId
from services.notifications.application.composition import (
    ComposedMessage,
    addressee_of,
    compose_code_text,
    compose_for_account,
    compose_for_client,
    compose_for_enclosed_contact,
    compose_for_staff,
    compose_for_therapist,
    compose_staff_call,
)
from services.notifications.application.contacts import contact_for, finish_withdrawal, open_contact, way_to_contact
from services.notifications.application.queueing import SEND_MESSAGE, cancel, fail
from services.notifications.dependencies import Dependencies
from services.notifications.domain.limits import next_free_moment
from services.notifications.domain.messages import Message
from services.notifications.domain.people import Client
from services.notifications.domain.safe_contact import (
    AskStaff,
    NoAddress,
    WaitForCall,
    WriteLater,
    WriteNow,
    next_safe_moment,
)
from services.notifications.domain.templates import TO_ENCLOSED_CONTACT, Recipient, Template
from services.notifications.gateways.email import Rejected, compose_email
from services.notifications.gateways.outbound import OutboundMessage
from services.notifications.gateways.templates import Text
from services.notifications.store import messages, people


class NoProvider(OSError):
    """There is no provider for this channel. What was meant for it never goes by another channel."""


@dataclass(frozen=True)
class DeliveryResult:
    """The result of an attempt. If nothing else is set, the message went out by `channel`.

    `again_at`: it may not go before then. `awaits_call`: the client calls us. `no_longer_needed`: to be cancelled.
    """

    channel: Channel = Channel.EMAIL
    failure: FailureReason | None = None
    again_at: datetime | None = None
    awaits_call: bool = False
    no_longer_needed: bool = False
    wording: str | None = None
    staff_id: StaffId | None = None
    """Whom of the rota an alert went to."""


def deliver(unit: UnitOfWork[Dependencies], message_id: MessageId) -> DeliveryResult:
    """Sends one message, if it may go now. Raises OSError if trying again may help."""
    message = messages.read_message(unit.session, message_id)
    if message is None or not message.is_queued:
        return DeliveryResult(no_longer_needed=True)
    if message.recipient.asked_for_help:
        return _deliver_to_client(unit, message)
    if _is_overtaken(unit, message):
        return DeliveryResult(no_longer_needed=True)
    if message.template is Template.CLIENT_CODE:
        return _deliver_code(unit, message)
    if message.recipient is Recipient.THERAPIST:
        safe = next_safe_moment(hours=SafeHours.ANY, at=unit.now, quiet=unit.dependencies.settings.quiet_hours)
        again_at = max(safe, _free_moment(unit, message))
        if again_at > unit.now:
            return DeliveryResult(again_at=again_at)
        return _send(unit, message, compose_for_therapist(unit, message))
    if message.recipient is Recipient.STAFF:
        return _deliver_to_account(unit, message)
    return _send(unit, message, compose_for_staff(unit, message))


def record_result(unit: UnitOfWork[Dependencies], message: Message, result: DeliveryResult) -> None:
    """Records the result of an attempt."""
    if not message.is_queued:
        return
    if result.again_at:
        unit.set_timer(SEND_MESSAGE, message.id, result.again_at)
    elif result.no_longer_needed:
        cancel(unit, message)
    elif result.awaits_call:
        message.await_call(at=unit.now)
    elif result.failure:
        fail(unit, message, result.failure)
    else:
        record_message_sent(unit, message, result)
    finish_withdrawal(unit, message)


def give_up(unit: UnitOfWork[Dependencies], message: Message) -> None:
    """Every attempt has failed: the message fails, and the office is asked to see to it."""
    if not message.is_queued:
        return
    fail(unit, message, FailureReason.UNREACHABLE)
    finish_withdrawal(unit, message)


def record_message_sent(unit: UnitOfWork[Dependencies], message: Message, result: DeliveryResult) -> None:
    message.send(channel=result.channel, wording=result.wording, at=unit.now)
    unit.emit(
        MessageSent(
            message_id=message.id,
            template=message.template.value,
            channel=result.channel,
            referral_id=message.referral_id,
        )
    )


def _deliver_to_account(unit: UnitOfWork[Dependencies], message: Message) -> DeliveryResult:
    """At once, and never with a link whose time is over."""
    until = message.data.get("expires_at")
    if until and datetime.fromisoformat(str(until)) <= unit.now:
        return DeliveryResult(no_longer_needed=True)
    return _send(unit, message, compose_for_account(unit, message))


def _deliver_to_enclosed_contact(unit: UnitOfWork[Dependencies], message: Message) -> DeliveryResult:
    """A code goes at once, since somebody waits for it, and never once it is void; other messages when it is safe."""
    until = message.data.get("expires_at")
    if _is_overtaken(unit, message) or (until and datetime.fromisoformat(str(until)) <= unit.now):
        return DeliveryResult(no_longer_needed=True)
    composed, contact = compose_for_enclosed_contact(unit, message)
    safe = next_safe_moment(
        hours=contact.hours or SafeHours.ANY, at=unit.now, quiet=unit.dependencies.settings.quiet_hours
    )
    if not until and safe > unit.now:
        return DeliveryResult(again_at=safe)
    if composed.channel in unit.dependencies.by_hand:  # a person would pass a code on too late
        return DeliveryResult(channel=composed.channel, failure=FailureReason.UNREACHABLE)
    return _send(unit, message, composed)


def _deliver_to_client(unit: UnitOfWork[Dependencies], message: Message) -> DeliveryResult:
    if message.template in TO_ENCLOSED_CONTACT:
        return _deliver_to_enclosed_contact(unit, message)
    client = _client_of(unit, message)
    if client is None or client.contact is None or _is_overtaken(unit, message):
        return DeliveryResult(no_longer_needed=True)
    known = open_contact(unit, client)
    match way_to_contact(unit, contact_for(known, message.recipient)):
        case WriteLater(at=at):
            return DeliveryResult(again_at=at)
        case WaitForCall():
            return DeliveryResult(awaits_call=True)
        case NoAddress():
            return DeliveryResult(failure=FailureReason.NO_ADDRESS)
        case AskStaff():
            return _send(unit, message, compose_staff_call(unit, message, known))
        case WriteNow(Channel.LETTER, _) if _needs_a_person(message, known):
            return _send(unit, message, compose_staff_call(unit, message, known))
        case WriteNow(channel, to):
            free = _free_moment(unit, message)
            if free > unit.now:
                return DeliveryResult(again_at=free)
            return _send(unit, message, compose_for_client(unit, message, known, channel=channel, to=to))


def _deliver_code(unit: UnitOfWork[Dependencies], message: Message) -> DeliveryResult:
    """At any hour, since somebody waits for it; not at all once it can't be used any more."""
    if unit.now >= message.queued_at + unit.dependencies.settings.code_lasts:
        return DeliveryResult(channel=Channel.TEXT, no_longer_needed=True)
    return _send(unit, message, compose_code_text(unit, message))


def _needs_a_person(message: Message, known: ClientContact) -> bool:
    """Whether it can't go by post: anybody might open it, or nobody could follow its link, as in a prison."""
    return addressee_of(known, message.recipient) is None or message.template is Template.CLIENT_EVALUATION


def _send(unit: UnitOfWork[Dependencies], message: Message, composed: ComposedMessage) -> DeliveryResult:
    if not composed.to:
        return DeliveryResult(channel=composed.channel, failure=FailureReason.NO_ADDRESS)
    text = unit.dependencies.templates.render(composed.template, composed.values, language=composed.language)
    try:
        _hand_over(unit, message, composed, text)
    except Rejected:
        return DeliveryResult(channel=composed.channel, failure=FailureReason.REJECTED)
    wording = f"{composed.template}/{text.language}/{text.version}"
    return DeliveryResult(channel=composed.channel, wording=wording, staff_id=composed.staff_id)


def _hand_over(unit: UnitOfWork[Dependencies], message: Message, composed: ComposedMessage, text: Text) -> None:
    """Gives the message to its channel's provider. Raises Rejected, or OSError if trying again may help."""
    providers = {Channel.TEXT: unit.dependencies.texts, Channel.LETTER: unit.dependencies.letters}
    if composed.channel in providers:
        provider = providers[composed.channel]
        if provider is None:
            raise NoProvider(f"there is no gateway for {composed.channel.value}")
        to = as_e164(composed.to) if composed.channel is Channel.TEXT else composed.to
        provider.send(OutboundMessage(message.id, to, text.body.strip()))
        return
    mail = compose_email(
        message_id=message.id,
        sender=str(composed.sender),
        to=composed.to,
        subject=text.subject,
        body=text.body,
        page=unit.dependencies.templates.page(text),
        language=text.language,
        at=unit.now,
    )
    unit.dependencies.mailer.send(mail)


def _free_moment(unit: UnitOfWork[Dependencies], message: Message) -> datetime:
    """When the message may go without one person getting too many. Whether that is a safe hour is checked then."""
    policy = unit.dependencies.settings
    limits = policy.client_limits if message.recipient.asked_for_help else policy.therapist_limits
    if not limits:
        return unit.now
    since = unit.now - max(limit.within for limit in limits)
    sent, ahead = messages.sent_lately(unit.session, message, since=since)
    return next_free_moment(sent=sent, ahead=ahead, limits=limits, at=unit.now)


def _is_overtaken(unit: UnitOfWork[Dependencies], message: Message) -> bool:
    """Whether the referral was withdrawn while the message was on its way into the queue."""
    if not message.template.ends_with_withdrawal:
        return False
    client = _client_of(unit, message)
    return client is not None and client.is_withdrawn


def _client_of(unit: UnitOfWork[Dependencies], message: Message) -> Client | None:
    return people.read_client(unit.session, message.referral_id) if message.referral_id else None
