"""Sending: the one place where a message gets its words and its address, and where safe contact is enforced.

`deliver` may be repeated after a crash, so the Message-ID is the message's own. Everything is looked up again at the
moment of sending: the client may have changed how they can be reached, or have withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chassis.ports import UnitOfWork
from contracts.events.notifications import MessageSent
from contracts.sealed import ClientContact, SafeHours
from contracts.vocabulary import Channel, FailureReason, MessageId, StaffId
from services.notifications.application.composition import (
    Letter,
    addressee_of,
    client_letter,
    code_text,
    letter_to_one_contact,
    staff_call,
    staff_letter,
    therapist_letter,
)
from services.notifications.application.contacts import contact_for, finish_withdrawal, open_contact, way_to
from services.notifications.application.queueing import SEND_MESSAGE, cancel, fail
from services.notifications.dependencies import Dependencies
from services.notifications.domain.limits import next_free_moment
from services.notifications.domain.messages import Message
from services.notifications.domain.people import Client
from services.notifications.domain.safe_contact import (
    AskStaff,
    KeepUntilTheyCall,
    NoAddress,
    WriteLater,
    WriteNow,
    next_safe_moment,
)
from services.notifications.domain.templates import TO_ONE_CONTACT, Recipient, Template
from services.notifications.gateways.email import Rejected, compose
from services.notifications.gateways.outbound import Parcel
from services.notifications.gateways.templates import Text
from services.notifications.store import messages, people


class NoCarrier(OSError):
    """There is no gateway for this channel. What was meant for it never goes by another."""


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt. With none of the others set, the message went out over `channel`."""

    channel: Channel = Channel.EMAIL
    failure: FailureReason | None = None
    again_at: datetime | None = None
    kept: bool = False
    pointless: bool = False
    wording: str | None = None
    staff_id: StaffId | None = None
    """Who of the rota an alert went to."""


def deliver(unit: UnitOfWork[Dependencies], message_id: MessageId) -> Outcome:
    """Sends one message, if it may go now. Raises OSError where trying again may help."""
    message = messages.read_message(unit.session, message_id)
    if message is None or not message.is_queued:
        return Outcome(pointless=True)
    if message.recipient.asked:
        return _deliver_to_client(unit, message)
    if _is_overtaken(unit, message):
        return Outcome(pointless=True)
    if message.template is Template.CLIENT_CODE:
        return _deliver_code(unit, message)
    if message.recipient is Recipient.THERAPIST:
        safe = next_safe_moment(hours=SafeHours.ANY, at=unit.now, quiet=unit.dependencies.settings.quiet_hours)
        again_at = max(safe, _free_moment(unit, message))
        if again_at > unit.now:
            return Outcome(again_at=again_at)
        return _send(unit, message, therapist_letter(unit, message))
    return _send(unit, message, staff_letter(unit, message))


def record_result(unit: UnitOfWork[Dependencies], message: Message, outcome: Outcome) -> None:
    """Puts on record what came of an attempt."""
    if not message.is_queued:
        return
    if outcome.again_at:
        unit.set_timer(SEND_MESSAGE, message.id, outcome.again_at)
    elif outcome.pointless:
        cancel(unit, message)
    elif outcome.kept:
        message.keep(at=unit.now)
    elif outcome.failure:
        fail(unit, message, outcome.failure)
    else:
        record_gone(unit, message, outcome)
    finish_withdrawal(unit, message)


def give_up(unit: UnitOfWork[Dependencies], message: Message) -> None:
    """The way out was closed at every attempt: the message is given up and a person looks after it."""
    if not message.is_queued:
        return
    fail(unit, message, FailureReason.UNREACHABLE)
    finish_withdrawal(unit, message)


def record_gone(unit: UnitOfWork[Dependencies], message: Message, outcome: Outcome) -> None:
    message.send(channel=outcome.channel, wording=outcome.wording, at=unit.now)
    unit.emit(
        MessageSent(
            message_id=message.id,
            template=message.template.value,
            channel=outcome.channel,
            referral_id=message.referral_id,
        )
    )


def _deliver_to_one_contact(unit: UnitOfWork[Dependencies], message: Message) -> Outcome:
    """A code at once, for whoever waits for it, and never once it is void; other letters when it is safe."""
    until = message.data.get("expires_at")
    if _is_overtaken(unit, message) or (until and datetime.fromisoformat(str(until)) <= unit.now):
        return Outcome(pointless=True)
    letter, contact = letter_to_one_contact(unit, message)
    safe = next_safe_moment(
        hours=contact.hours or SafeHours.ANY, at=unit.now, quiet=unit.dependencies.settings.quiet_hours
    )
    if not until and safe > unit.now:
        return Outcome(again_at=safe)
    if letter.channel in unit.dependencies.by_hand:  # nobody is told a code to pass on, nor in time
        return Outcome(channel=letter.channel, failure=FailureReason.UNREACHABLE)
    return _send(unit, message, letter)


def _deliver_to_client(unit: UnitOfWork[Dependencies], message: Message) -> Outcome:
    if message.template in TO_ONE_CONTACT:
        return _deliver_to_one_contact(unit, message)
    client = _client_of(unit, message)
    if client is None or client.contact is None or _is_overtaken(unit, message):
        return Outcome(pointless=True)
    known = open_contact(unit, client)
    match way_to(unit, contact_for(known, message.recipient)):
        case WriteLater(at=at):
            return Outcome(again_at=at)
        case KeepUntilTheyCall():
            return Outcome(kept=True)
        case NoAddress():
            return Outcome(failure=FailureReason.NO_ADDRESS)
        case AskStaff():
            return _send(unit, message, staff_call(unit, message, known))
        case WriteNow(Channel.LETTER, _) if _is_for_a_person(message, known):
            return _send(unit, message, staff_call(unit, message, known))
        case WriteNow(channel, to):
            free = _free_moment(unit, message)
            if free > unit.now:
                return Outcome(again_at=free)
            return _send(unit, message, client_letter(unit, message, known, channel=channel, to=to))


def _deliver_code(unit: UnitOfWork[Dependencies], message: Message) -> Outcome:
    """At any hour, since somebody waits for it; and not at all once it can't be used any more."""
    if unit.now >= message.queued_at + unit.dependencies.settings.code_lasts:
        return Outcome(channel=Channel.TEXT, pointless=True)
    return _send(unit, message, code_text(unit, message))


def _is_for_a_person(message: Message, known: ClientContact) -> bool:
    """Whether it can't go by post: anybody might open it, or nobody could follow its link, as in a prison."""
    return addressee_of(known, message.recipient) is None or message.template is Template.CLIENT_EVALUATION


def _send(unit: UnitOfWork[Dependencies], message: Message, letter: Letter) -> Outcome:
    if not letter.to:
        return Outcome(channel=letter.channel, failure=FailureReason.NO_ADDRESS)
    text = unit.dependencies.wording.render(letter.template, letter.values, language=letter.language)
    try:
        _hand_over(unit, message, letter, text)
    except Rejected:
        return Outcome(channel=letter.channel, failure=FailureReason.REJECTED)
    wording = f"{letter.template}/{text.language}/{text.version}"
    return Outcome(channel=letter.channel, wording=wording, staff_id=letter.staff_id)


def _hand_over(unit: UnitOfWork[Dependencies], message: Message, letter: Letter, text: Text) -> None:
    """To the next hop of the letter's channel. Raises Rejected, or OSError where trying again may help."""
    carriers = {Channel.TEXT: unit.dependencies.texts, Channel.LETTER: unit.dependencies.letters}
    if letter.channel in carriers:
        carrier = carriers[letter.channel]
        if carrier is None:
            raise NoCarrier(f"there is no gateway for {letter.channel.value}")
        carrier.send(Parcel(message.id, letter.to, text.body.strip()))
        return
    mail = compose(
        message_id=message.id,
        sender=str(letter.sender),
        to=letter.to,
        subject=text.subject,
        body=text.body,
        page=unit.dependencies.wording.page(text),
        language=text.language,
        at=unit.now,
    )
    unit.dependencies.mailer.send(mail)


def _free_moment(unit: UnitOfWork[Dependencies], message: Message) -> datetime:
    """When the message may go without there being too many to one person; that it is safe then is looked at then."""
    policy = unit.dependencies.settings
    limits = policy.client_limits if message.recipient.asked else policy.therapist_limits
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
