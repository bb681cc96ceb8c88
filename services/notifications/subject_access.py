"""What notifications holds about a person, told to them: how they are reached, what was sent, and settled concerns.

What might tell of a safeguarding enquiry is left out, and every export says so alike: see `docs/subject-access.md`.
"""

from __future__ import annotations

from sqlalchemy import select

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from chassis.privacy.vault import Erased
from chassis.subject_access import entry, fact, reached, sealed, section, who_in_words
from contracts.commands.subject import Entry, GetSubjectData, ReadOutcomes, SealedHolding, Section, Topic
from contracts.labels import LANGUAGES
from contracts.sealed import OutcomeReason, TherapistContact
from contracts.vocabulary import ConcernOutcome, ReferralId
from services.notifications.application.contacts import open_contact
from services.notifications.dependencies import Dependencies
from services.notifications.domain.alerts import Alert, Outcome
from services.notifications.domain.messages import Message
from services.notifications.domain.messages import State as MessageState
from services.notifications.domain.people import Client, Therapist
from services.notifications.domain.templates import Recipient, StandIn, Template
from services.notifications.errors import UnknownAlert
from services.notifications.store import alerts, messages, tables

READ_FOR = "safeguarding_outcome"

STATES = {
    MessageState.QUEUED: "Waiting to be sent",
    MessageState.SENT: "Sent",
    MessageState.KEPT: "Kept until you call",
    MessageState.FAILED: "Could not be sent",
    MessageState.CANCELLED: "Not sent: it had no point any more",
}
RECIPIENTS = {
    Recipient.CLIENT: "You",
    Recipient.WRITER: "Whoever wrote to us for you",
    Recipient.THERAPIST: "A therapist",
    Recipient.OFFICE: "Our office",
    Recipient.DUTY_LEAD: "Our safeguarding lead",
    Recipient.DEPUTY: "Our deputy safeguarding lead",
    Recipient.TRUSTEE: "A trustee",
    Recipient.STAFF: "Somebody who works for us",
}
MESSAGES = {
    Template.REQUEST_RECEIVED: "We have your request",
    Template.CONSENT_NEEDED: "We look for somebody only once you agree to it",
    Template.CONTACT_CODE: "A code, by which you prove that a new way to reach you is yours",
    Template.CONTACT_MOVED: "We reach you in another way from now on",
    Template.MATCHED: "Somebody has agreed to see you",
    Template.SUBSIDY_APPROVED: "A fund helps with the cost",
    Template.SUBSIDY_WAITING: "Help with the cost has to wait for a while",
    Template.SUBSIDY_DECLINED: "No help with the cost is needed",
    Template.SIGNPOSTED: "Another service fits better",
    Template.WITHDRAWAL_CONFIRMED: "Your request was taken back",
    Template.REQUEST_GOES_ON: "Your request goes on: it had been ended by mistake",
    Template.PERSONAL_MESSAGE: "What one of us wrote to you, which stands with our notes",
    Template.CLIENT_EVALUATION: "How are things going? A form to fill in",
    Template.OFFER: "Whether they could see somebody, without saying who",
    Template.OFFER_WITHDRAWN: "That we no longer ask whether they could see somebody",
    Template.INTRODUCTION: "Where they can see who you are and how you can safely be reached",
    Template.CONTACT_CHANGED: "That you are reached in another way now",
    Template.CLIENT_CODE: "A code, by which they can see how you are reached",
    Template.REQUEST_ARRIVED: "That your request has come, without saying who you are",
    Template.REQUEST_UNREADABLE: "That something sent to us could not be read",
    Template.NEW_CONTACT_NAMED: "That you named a new way to be reached",
    Template.ANOTHER_WANTED: "That you would like to see somebody else",
    Template.AGREEMENT_AWAITED: "That you are still to be asked whether you agree",
    Template.COURSE_AWAITED: "That you wait for a course",
    Template.THERAPIST_REPORTED: "What your therapist told us, for a person to record",
    Template.THERAPIST_EVALUATION: "How are things going? A form to fill in",
    Template.REFERRAL_FEE_CHARGED: "What they owe us for the introduction",
    Template.REFERRAL_FEE_CREDITED: "That they need not pay us for the introduction",
    Template.FEE_CREDIT_REVERSED: "That they owe us for the introduction after all",
    Template.SUBSIDY_ASSIGNED: "What a fund pays of your sessions",
    Template.PAYMENT_REVERSED: "That we no longer have their payment",
    Template.PAYMENT_RECEIVED: "That we have their payment",
    Template.MATCHING_STALLED: "Your request has been waiting for long: a person should look",
    Template.THERAPIST_NOT_ANSWERING: "They have not answered lately",
    Template.ASSESSMENT_OVERDUE: "Your request should have been read by now",
    Template.MEMBERSHIP_STARTED: "Their membership has begun",
    Template.MEMBERSHIP_RENEWED: "Their membership goes on",
    Template.MEMBERSHIP_REMINDER: "Their membership fee is still to be paid",
    Template.MEMBERSHIP_LAPSED: "Their membership has lapsed",
    Template.THERAPIST_SUSPENDED: "They are asked nothing new for now",
    Template.THERAPIST_REINSTATED: "They can be asked again",
    Template.ATTENDANCE_UNRECORDED: "Nobody has told us whether you have met: a person should ask",
    Template.SUBSIDY_TO_LOOK_AT: "Help with the cost: a person should look",
    Template.ROTA_GAP: "Nobody is on duty on some days",
    Template.READINGS_STOPPED: "Somebody of the charity had read about many people and was stopped",
    Template.ERASURE_OVERDUE: "Not every part of our system has erased what it held of you: a person should look",
    Template.MESSAGE_FAILED: "A message could not be sent: a person should tell instead",
}
"""What a message is about. An alert is not told of."""


def tell(unit: UnitOfWork[Dependencies], request: GetSubjectData) -> list[Section]:
    of = request.referral_id
    client = unit.session.get(Client, of)
    found = messages.messages_about(unit.session, referral_id=of, concern_id=None, limit=10_000)
    told = [_message(message) for message in found if message.template is not Template.SAFEGUARDING_ALERT]
    return [
        section(Topic.CONTACT, [_contact(unit, client)] if client else []),
        section(Topic.MATCHES, _introduced(unit, found)),
        section(Topic.MESSAGES, told),
        section(Topic.CONCERNS, _settled_concerns(unit, of)),
    ]


def tell_writer(unit: UnitOfWork[Dependencies], request: GetSubjectData) -> list[Section]:
    """What whoever wrote for the client may be told: how they are reached, and what was sent to them."""
    client = unit.session.get(Client, request.referral_id)
    known = open_contact(unit, client) if client and client.contact else None
    found = messages.messages_about(unit.session, referral_id=request.referral_id, concern_id=None, limit=10_000)
    return [
        section(Topic.CONTACT, [reached(known.writer.contact)] if known and known.writer else []),
        section(Topic.MESSAGES, [_message(message) for message in found if message.recipient is Recipient.WRITER]),
    ]


def read_outcomes(unit: UnitOfWork[Dependencies], request: ReadOutcomes) -> SealedHolding:
    """What was decided about a concern and why, for a person of the charity. Raises UnknownAlert, CannotSeal."""
    alert = unit.session.get(Alert, request.concern_id)
    if alert is None:
        raise UnknownAlert("There is no alert about such a concern. Please check the identifier.")
    unit.record_audit(AuditAction.READ, who=unit.actor.who, subject_id=alert.referral_id, reason=READ_FOR)
    decided = [_outcome(unit, outcome) for outcome in alerts.outcomes_of(unit.session, alert.concern_id)]
    return sealed(unit, [section(Topic.CONCERNS, [_concern(alert), *decided])], seal_to_=request.seal_to)


def _contact(unit: UnitOfWork[Dependencies], client: Client) -> Entry:
    told = entry(
        ("Nothing is sent about the request any more since", client.withdrawn_at),
        ("How you are reached was forgotten on", client.removed_at),
    )
    if client.contact is None:
        return told
    known = open_contact(unit, client)
    named = entry(("Name", known.name), ("Language", LANGUAGES.get(known.language, known.language)))
    return Entry(facts=(*named.facts, *(reached(known.contact).facts if known.contact else ()), *told.facts))


def _introduced(unit: UnitOfWork[Dependencies], found: list[Message]) -> list[Entry]:
    """The therapists whom the client was introduced to, by name: nobody else's name is told."""
    introduced = []
    for message in found:
        if message.template is Template.INTRODUCTION and message.state is MessageState.SENT and message.therapist_id:
            therapist = unit.session.get(Therapist, message.therapist_id)
            if therapist:
                known = unit.dependencies.vault.decrypt(
                    unit.session, therapist.therapist_id, TherapistContact, therapist.contact
                )
                introduced.append(entry(("Introduced to", known.name), ("On", message.settled_at)))
    return introduced


def _message(message: Message) -> Entry:
    when = entry(("When", message.settled_at or message.queued_at))
    to, about = fact("To", message.recipient, words=RECIPIENTS), fact("About", message.template, words=MESSAGES)
    state = fact("What came of it", message.state, words=STATES)
    way = entry(
        ("How", message.channel), ("Wording", _wording(message.wording)), ("Why it could not be sent", message.failure)
    )
    return Entry(facts=(*when.facts, to, about, state, *way.facts))


def _wording(wording: str | None) -> str | None:
    """From `<template>/<language>/<version>`."""
    if wording is None:
        return None
    name, language, version = wording.split("/")
    told = "A reference and a link alone" if name in (StandIn.DISCREET, StandIn.CLIENT_TEXT) else "In full"
    return f"{told}, in {LANGUAGES.get(language, language)} (version {version})"


def _settled_concerns(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> list[Entry]:
    """Concerns, if on every one the only decision was that nothing more was needed. Else none, nor that there are any:
    one that is settled may belong to one that isn't.
    """
    wanted = select(Alert).where(tables.alerts.c.referral_id == referral_id).order_by(tables.alerts.c.raised_at)
    about = unit.session.scalars(wanted).all()
    settled = all(_is_settled(alerts.outcomes_of(unit.session, alert.concern_id)) for alert in about)
    return [_concern(alert) for alert in about] if settled else []


def _is_settled(outcomes: list[Outcome]) -> bool:
    return bool(outcomes) and all(decided.outcome is ConcernOutcome.NO_FURTHER_ACTION for decided in outcomes)


def _concern(alert: Alert) -> Entry:
    return entry(
        ("Somebody was worried on", alert.raised_at),
        ("About", alert.category),
        ("How urgent it was thought to be", alert.severity),
        ("Who looked at it", who_in_words(alert.acknowledged_by) if alert.acknowledged_by else None),
        ("Since", alert.acknowledged_at),
    )


def _outcome(unit: UnitOfWork[Dependencies], outcome: Outcome) -> Entry:
    try:
        why = unit.dependencies.vault.decrypt(unit.session, outcome.concern_id, OutcomeReason, outcome.reason).words
    except Erased:
        why = "Destroyed, as the law asked"
    return entry(
        ("Decided on", outcome.decided_at),
        ("What", outcome.outcome),
        ("By", who_in_words(outcome.decided_by)),
        ("Why", why),
    )
