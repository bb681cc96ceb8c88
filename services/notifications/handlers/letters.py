"""What is put into each letter: the values its template may use, from whom it comes and to whom it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chassis.ports import Unit
from contracts.sealed import ClientContact, EvaluationLink, TherapistContact
from contracts.vocabulary import AlertStep, Channel
from services.notifications.domain.messages import Message
from services.notifications.domain.templates import Recipient, StandIn, Template
from services.notifications.gateways.wording import ENGLISH
from services.notifications.handlers.rota import contact_on_duty
from services.notifications.settings import Mailbox
from services.notifications.tools import Tools


@dataclass(frozen=True)
class Letter:
    template: str
    values: Mapping[str, Any]
    sender: Mailbox
    to: str
    language: str = ENGLISH
    channel: Channel = Channel.EMAIL


def client_letter(unit: Unit[Tools], message: Message, known: ClientContact, *, channel: Channel, to: str) -> Letter:
    """To the client. A discreet one is a reference and a link, from a sender that tells nothing of the charity.

    So is every text message, which lights up a screen that others see.
    """
    if channel is Channel.TEXT:
        return _discreet_letter(unit, message, known, StandIn.CLIENT_TEXT, channel=channel, to=to)
    if known.contact.discreet:
        return _discreet_letter(unit, message, known, StandIn.DISCREET, channel=channel, to=to)
    policy = unit.tools.settings
    values = {
        **message.data,
        "reference": known.reference,
        "sender_name": policy.sender.name,
        "status_url": policy.status_url,
        "form_link": _form_link(unit, message),
    }
    return Letter(message.template.value, values, policy.sender, to, known.language, channel)


def _discreet_letter(
    unit: Unit[Tools], message: Message, known: ClientContact, wording: StandIn, *, channel: Channel, to: str
) -> Letter:
    policy = unit.tools.settings
    values = {
        "reference": known.reference,
        "link": _form_link(unit, message) or policy.status_url,
        "sender_name": policy.discreet_sender.name,
    }
    return Letter(wording.value, values, policy.discreet_sender, to, known.language, channel)


def staff_call(unit: Unit[Tools], message: Message, known: ClientContact) -> Letter:
    """To the office: who is to be told what, by reference alone, and in which way it is safe to."""
    policy, contact = unit.tools.settings, known.contact
    values = {
        "reference": known.reference,
        "topic": message.template.value,
        "way": contact.channel.value,
        "hours": contact.hours.value,
        "may_leave_message": contact.may_leave_message,
        "call_as": contact.call_as,
        "discreet": contact.discreet,
        "console_url": policy.console_url,
    }
    to, channel = policy.office.address, Channel.STAFF_CALL
    return Letter(StandIn.STAFF_CALL.value, values, policy.sender, to, channel=channel)


def therapist_letter(unit: Unit[Tools], message: Message, contact: TherapistContact) -> Letter:
    policy = unit.tools.settings
    values = {
        **message.data,
        "name": contact.name,
        "sender_name": policy.sender.name,
        "portal_url": policy.portal_url,
        "form_link": _form_link(unit, message),
        "client": _client_introduced(unit, message),
    }
    return Letter(message.template.value, values, policy.sender, contact.email)


def staff_letter(unit: Unit[Tools], message: Message) -> Letter:
    """To a person of the charity: identifiers and codes only."""
    policy = unit.tools.settings
    values = {
        **message.data,
        "referral_id": message.referral_id,
        "concern_id": message.concern_id,
        "console_url": policy.console_url,
    }
    if message.recipient is Recipient.OFFICE:
        return Letter(message.template.value, values, policy.sender, policy.office.address)
    person = contact_on_duty(unit, AlertStep(message.recipient.value))
    if message.channel is Channel.TEXT:
        to = person.telephone or ""
        return Letter(StandIn.ALERT_TEXT.value, values, policy.sender, to, channel=Channel.TEXT)
    return Letter(message.template.value, values, policy.sender, person.email)


def _form_link(unit: Unit[Tools], message: Message) -> str | None:
    if message.template not in (Template.CLIENT_EVALUATION, Template.THERAPIST_EVALUATION) or not message.sealed:
        return None
    token = unit.tools.keyring.open(EvaluationLink, message.sealed).token
    return f"{unit.tools.settings.form_url.rstrip('/')}/{token}"


def _client_introduced(unit: Unit[Tools], message: Message) -> ClientContact | None:
    if message.template is not Template.INTRODUCTION or not message.sealed:
        return None
    return unit.tools.keyring.open(ClientContact, message.sealed)
