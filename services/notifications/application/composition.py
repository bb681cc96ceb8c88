"""What each message is made of: its template, the values that this may use, its sender and its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chassis.ports import UnitOfWork
from contracts.sealed import (
    AlertSecret,
    ClientContact,
    ContactLetter,
    LinkSecret,
    OneTimeCode,
    SafeChannel,
    SafeContact,
    SafeHours,
    StaffLetter,
    WordsToClient,
)
from contracts.shape import InvalidShape
from contracts.vocabulary import AlertStep, Channel, StaffId
from services.notifications.application.contacts import contact_for, is_forgotten, reference_of, therapist_contact
from services.notifications.application.on_duty import person_on_duty, staff_on_duty
from services.notifications.dependencies import Dependencies
from services.notifications.domain.messages import Message
from services.notifications.domain.templates import Recipient, StandIn, Template
from services.notifications.gateways.templates import ENGLISH
from services.notifications.settings import Mailbox

PAGES: Mapping[Template, str | None] = {
    Template.CLIENT_EVALUATION: None,
    Template.THERAPIST_EVALUATION: None,
    Template.SAFEGUARDING_ALERT: "alert",
    Template.OFFER: "offer",
    Template.INTRODUCTION: "client",
    Template.CONTACT_CHANGED: "client",
}
"""The page of the public site that a message's link leads to; None for a form, whose address is a setting."""


@dataclass(frozen=True)
class ComposedMessage:
    """A message that is ready to be rendered and sent. `to` is an e-mail or postal address or a telephone number."""

    template: str
    values: Mapping[str, Any]
    sender: Mailbox
    to: str
    language: str = ENGLISH
    channel: Channel = Channel.EMAIL
    staff_id: StaffId | None = None
    """Whom of the rota it goes to, if it is an alert."""


def compose_for_client(
    unit: UnitOfWork[Dependencies], message: Message, known: ClientContact, *, channel: Channel, to: str
) -> ComposedMessage:
    """To the client, or to whoever wrote for them.

    A discreet message is a reference and a link, from a sender that says nothing about the charity. So is every text
    message, because others may see the screen that shows it.
    """
    contact = contact_for(known, message.recipient)
    if channel is Channel.LETTER and contact:
        to = contact.addressed_to(addressee_of(known, message.recipient)) or to
    stand_in = _stand_in(contact, by_text=channel is Channel.TEXT)
    if stand_in:
        values = _discreet_values(unit, message, known)
        return ComposedMessage(
            stand_in.value, values, unit.dependencies.settings.discreet_sender, to, known.language, channel
        )
    values = {
        **_values(unit, message, known),
        "form_link": _link(unit, message, known.language),
        "words": _words(unit, message),
    }
    return ComposedMessage(
        _template_name(message), values, unit.dependencies.settings.sender, to, known.language, channel
    )


def _stand_in(contact: SafeContact | None, *, by_text: bool) -> StandIn | None:
    """The template that is used instead of the message's own for somebody who is reached in this way."""
    if by_text:
        return StandIn.CLIENT_TEXT
    return StandIn.DISCREET if contact and contact.discreet else None


def addressee_of(known: ClientContact, recipient: Recipient) -> str | None:
    """The name above the address of a letter by post; None if it isn't known, so that anybody might open it."""
    if recipient is Recipient.WRITER:
        return known.writer.name if known.writer else None
    return known.addressee or known.name


def _values(unit: UnitOfWork[Dependencies], message: Message, known: ClientContact) -> dict[str, Any]:
    policy, contact = unit.dependencies.settings, contact_for(known, message.recipient)
    return {
        "reminder": 0,  # for a message that was queued before there were reminders
        **message.data,
        "reference": known.reference,
        "call_us": policy.discreet_telephone if contact and contact.discreet else policy.telephone,
        "sender_name": policy.sender.name,
        "status_url": _status_page(unit, message, known),
        "client_agrees": known.client_agrees,
        "is_client_reached": known.contact is not None,
        "was_written_for": _was_written_for(message, known),
    }


def _was_written_for(message: Message, known: ClientContact) -> bool:
    """Whether this goes to a client who did not write the request themselves."""
    return message.recipient is Recipient.CLIENT and known.writer is not None


def _words(unit: UnitOfWork[Dependencies], message: Message) -> str | None:
    """What a person of the charity has written, in a message of theirs."""
    if message.template is not Template.PERSONAL_MESSAGE or not message.sealed:
        return None
    return unit.dependencies.keyring.open(WordsToClient, message.sealed).words


def _template_name(message: Message) -> str:
    own = message.template.value
    return message.template.writers_wording or own if message.recipient is Recipient.WRITER else own


def _discreet_values(unit: UnitOfWork[Dependencies], message: Message, known: ClientContact) -> dict[str, Any]:
    policy, contact = unit.dependencies.settings, contact_for(known, message.recipient)
    by_call_alone = message.template is Template.PERSONAL_MESSAGE  # what a person wrote stands on no page of theirs
    return {
        "reference": known.reference,
        "link": None if by_call_alone else _link(unit, message, known.language) or _status_page(unit, message, known),
        "call_us": policy.discreet_telephone,
        "sender_name": (contact and contact.call_as) or policy.discreet_sender.name,
    }


def compose_for_enclosed_contact(
    unit: UnitOfWork[Dependencies], message: Message
) -> tuple[ComposedMessage, SafeContact]:
    """To the contact that came sealed with the message. Says nothing about what the message is about."""
    policy = unit.dependencies.settings
    enclosed = unit.dependencies.keyring.open(ContactLetter, message.sealed or "")
    values = {
        **message.data,
        "reference": enclosed.reference,
        "code": enclosed.code,
        "call_us": policy.discreet_telephone,
        "sender_name": enclosed.contact.call_as or policy.discreet_sender.name,
    }
    by_text = enclosed.contact.channel is SafeChannel.TEXT
    channel, to = (Channel.TEXT, enclosed.contact.telephone) if by_text else (Channel.EMAIL, enclosed.contact.email)
    sender = policy.discreet_sender
    return ComposedMessage(
        message.template.value, values, sender, to or "", enclosed.language, channel
    ), enclosed.contact


def compose_staff_call(unit: UnitOfWork[Dependencies], message: Message, known: ClientContact) -> ComposedMessage:
    """To the office: whom to tell what, by reference alone, and how it is safe to do that."""
    policy, contact = unit.dependencies.settings, contact_for(known, message.recipient)
    assert contact is not None
    is_form = message.template is Template.CLIENT_EVALUATION  # a person puts the questions: nothing to read out
    values = {
        "letter": None if is_form else _wording_for_staff(unit, message, known, contact),
        "is_writer": message.recipient is Recipient.WRITER,
        "reference": known.reference,
        "topic": message.template.value,
        "way": contact.channel.value,
        "hours": (contact.hours or SafeHours.ANY).value,
        "may_leave_message": contact.may_leave_message,
        "call_as": contact.call_as,
        "discreet": contact.discreet,
        "console_url": policy.console_url,
    }
    to, channel = policy.office.address, Channel.STAFF_CALL
    return ComposedMessage(StandIn.STAFF_CALL.value, values, policy.sender, to, channel=channel)


def _wording_for_staff(
    unit: UnitOfWork[Dependencies], message: Message, known: ClientContact, contact: SafeContact
) -> str:
    """What a person of the office is to write or to say: no more than the message itself would have said."""
    stand_in = _stand_in(contact, by_text=contact.channel is SafeChannel.TEXT)
    if stand_in and contact.channel is not SafeChannel.TELEPHONE:
        name, values = stand_in.value, _discreet_values(unit, message, known)
    else:
        name, values = _template_name(message), _values(unit, message, known)
    return unit.dependencies.templates.render(name, values, language=known.language).body.strip()


def compose_for_therapist(unit: UnitOfWork[Dependencies], message: Message) -> ComposedMessage:
    """An e-mail to a therapist, who knows a client by the reference alone."""
    policy = unit.dependencies.settings
    assert message.therapist_id is not None
    contact, link = therapist_contact(unit, message.therapist_id), _link(unit, message)
    values = {
        "reminder": 0,
        "again": False,
        **message.data,
        "name": contact.name,
        "call_us": policy.telephone,
        "sender_name": policy.sender.name,
        "portal_url": policy.portal_url,
        "form_link": link,
        "link": link,
        "days": policy.introduction_lasts.days,
        "reference": reference_of(unit, message.referral_id),
    }
    return ComposedMessage(message.template.value, values, policy.sender, contact.email)


def compose_code_text(unit: UnitOfWork[Dependencies], message: Message) -> ComposedMessage:
    """The one text message that a therapist gets: the code they have asked for."""
    assert message.therapist_id is not None
    assert message.sealed is not None
    values = {
        "code": unit.dependencies.keyring.open(OneTimeCode, message.sealed).code,
        "minutes": int(unit.dependencies.settings.code_lasts.total_seconds() // 60),
        "call_us": unit.dependencies.settings.telephone,
    }
    to = therapist_contact(unit, message.therapist_id).telephone or ""
    return ComposedMessage(message.template.value, values, unit.dependencies.settings.sender, to, channel=Channel.TEXT)


def compose_for_account(unit: UnitOfWork[Dependencies], message: Message) -> ComposedMessage:
    """To somebody with an account; name, address and link came sealed with the message."""
    policy, letter = unit.dependencies.settings, unit.dependencies.keyring.open(StaffLetter, message.sealed or "")
    values = {
        **message.data,
        "name": letter.name,
        "link": letter.link,
        "about": letter.about,
        "code": letter.code,
        "sender_name": policy.sender.name,
    }
    return ComposedMessage(message.template.value, values, policy.sender, letter.email)


def compose_for_staff(unit: UnitOfWork[Dependencies], message: Message) -> ComposedMessage:
    """To a person of the charity: identifiers and codes only."""
    policy = unit.dependencies.settings
    values = {
        "is_test": False,  # for an alert that was queued before there were tests
        **message.data,
        "reference": reference_of(unit, message.referral_id) or _reference_in(unit, message),
        "is_forgotten": is_forgotten(unit, message.referral_id),
        "referral_id": message.referral_id,
        "concern_id": message.concern_id,
        "console_url": policy.console_url,
        "link": _link(unit, message),
    }
    if message.recipient is Recipient.OFFICE:
        return ComposedMessage(message.template.value, values, policy.sender, policy.office.address)
    step = AlertStep(message.recipient.value)
    person, staff_id = person_on_duty(unit, step), staff_on_duty(unit, step)
    if message.channel is Channel.TEXT:
        to, name = person.telephone or "", StandIn.ALERT_TEXT.value
        return ComposedMessage(name, values, policy.sender, to, channel=Channel.TEXT, staff_id=staff_id)
    return ComposedMessage(message.template.value, values, policy.sender, person.email, staff_id=staff_id)


def _status_page(unit: UnitOfWork[Dependencies], message: Message, known: ClientContact) -> str | None:
    """None for whoever didn't write the request themselves: the page asks for words that only its writer chose."""
    address = unit.dependencies.settings.status_url
    if address is None or _was_written_for(message, known):
        return None
    return unit.dependencies.templates.page_in(known.language, address)


def _reference_in(unit: UnitOfWork[Dependencies], message: Message) -> str | None:
    """The reference that came with a concern, which overtakes its request's contact."""
    if message.template is not Template.SAFEGUARDING_ALERT or not message.sealed:
        return None
    if is_forgotten(unit, message.referral_id):
        return None
    return unit.dependencies.keyring.open(AlertSecret, message.sealed).reference


def _link(unit: UnitOfWork[Dependencies], message: Message, language: str = ENGLISH) -> str | None:
    """The one-time link that a message carries; None if it was queued before there were such links."""
    if message.template not in PAGES or not message.sealed:
        return None
    try:
        token = unit.dependencies.keyring.open(LinkSecret, message.sealed).token
    except InvalidShape:  # an introduction from when e-mails said how the client is reached
        return None
    policy, page = unit.dependencies.settings, PAGES[message.template]
    leads_to = f"{policy.site_url.rstrip('/')}/{page}" if page else policy.form_url.rstrip("/")
    return f"{unit.dependencies.templates.page_in(language, leads_to)}/{token}"
