"""Subject access: what is held about a person, in words, with the record of who has read it, sealed for whoever asked.

A service lists what it holds. What every service holds alike (its audit log, the events it published about the
referral) is added here, and the export is recorded in the audit log here, so that no service can forget to::

    about_subject = command(GetSubjectData, telling(subject.tell))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from chassis.audit.chain import AuditAction
from chassis.audit.store import entries
from chassis.ports import CommandHandler, Refused, UnitOfWork
from chassis.privacy.ephemeral_key import NotAKey, seal_to
from chassis.store.unit_of_work import StoreUnit
from contracts.commands.subject import Entry, Fact, GetSubjectData, Holding, SealedHolding, Section, Topic
from contracts.labels import ON_RECORD, PARTS, words_of
from contracts.london import LONDON
from contracts.permissions import is_account
from contracts.sealed import SafeContact
from contracts.text import clean
from contracts.vocabulary import Party, ReferralId

Teller = Callable[[UnitOfWork[Any], GetSubjectData], list[Section]]

SAFEGUARDING = "safeguarding"
"""Readings whose reason begins with this are not disclosed: the person may not be allowed to learn of the enquiry."""

DISCLOSED_ACTIONS = {
    AuditAction.READ: "Read",
    AuditAction.EXPORTED: "Gathered all that is held, for you to see",
    AuditAction.ERASED: "Erased",
}
"""The entries of the audit log that a person is shown, in words. The others may reveal a police matter, or concern
other people."""


class CannotSeal(Refused):
    """The answer can't be sealed to the public key that came with the request."""


def nothing(unit: UnitOfWork[Any], request: GetSubjectData) -> list[Section]:
    """What most services hold about a person who wrote on a client's behalf: nothing."""
    return []


def telling(tell: Teller, tell_writer: Teller = nothing) -> CommandHandler:
    """The handler of a service's `about_subject` command.

    `tell` lists what the service holds about a client, `tell_writer` what it holds about a person who wrote on the
    client's behalf. The handler raises CannotSeal, and whatever these raise.
    """

    def about_subject(unit: UnitOfWork[Any], request: GetSubjectData) -> SealedHolding:
        teller = tell if request.whose is Party.CLIENT else tell_writer
        sections = teller(unit, request)
        if any(section.entries for section in sections):
            reason = request.reason.value
            unit.record_audit(AuditAction.EXPORTED, who=unit.actor.who, subject_id=request.referral_id, reason=reason)
        common = _common_sections(unit, request.referral_id) if request.whose is Party.CLIENT else []
        return sealed(unit, [*sections, *common], seal_to_=request.seal_to)

    return about_subject


def sealed(unit: UnitOfWork[Any], sections: Iterable[Section], *, seal_to_: str) -> SealedHolding:
    """The sections that aren't empty, as this service's answer. Raises CannotSeal."""
    assert isinstance(unit, StoreUnit)
    held = Holding(service=unit.service, sections=tuple(section for section in sections if section.entries))
    try:
        return SealedHolding(sealed=seal_to(seal_to_, held))
    except NotAKey as refusal:
        raise CannotSeal(f"This can't be answered: {refusal}.") from None


def section(topic: Topic, found: Iterable[Entry]) -> Section:
    return Section(topic=topic, entries=tuple(entry for entry in found if entry.facts))


def entry(*facts: tuple[str, object]) -> Entry:
    """An entry of these facts; a value that is None or empty is left out."""
    return Entry(facts=tuple(fact(what, value) for what, value in facts if value not in (None, "", ())))


def reached(contact: SafeContact) -> Entry:
    """How a person can be contacted safely, in words addressed to them."""
    return entry(
        ("How it is safe to reach you", contact.channel),
        ("When", contact.hours),
        ("Email", contact.email),
        ("Telephone", contact.telephone),
        ("Address", contact.address),
        ("We may leave a message", contact.may_leave_message),
        ("What we send does not say who we are", contact.discreet),
        ("Who we say is calling or writing", contact.call_as),
    )


def fact(what: str, value: object, *, words: Mapping[Any, str] | None = None, asked: str | None = None) -> Fact:
    """A value in words; a code by its meaning, from `words` or from `contracts.labels`."""
    values = value if isinstance(value, tuple) else (value,)
    texts = [_in_words(single, words) for single in values]
    exactly = tuple(code for _, code in texts if code is not None)
    return Fact(what=what, value="; ".join(text for text, _ in texts), exactly=exactly, asked=asked)


def who_in_words(who: str) -> str:
    """Whoever did something at the charity. Before there were accounts, it was a name that somebody typed."""
    return "A person of the charity" if is_account(who) else who


def written(moment: datetime) -> str:
    """A moment as people write it, by the clock in London: `21 November 2026, 3.58 pm`."""
    local = moment.astimezone(LONDON)
    half = "am" if local.hour < 12 else "pm"
    at = "midnight" if (local.hour, local.minute) == (0, 0) else f"{local.hour % 12 or 12}.{local.minute:02} {half}"
    return f"{written_day(local.date())}, {at}"


def written_day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def pounds(pence: int | None) -> str | None:
    return None if pence is None else f"£{pence / 100:,.2f}"


def _in_words(value: object, words: Mapping[Any, str] | None) -> tuple[str, str | None]:
    """A value in words, and exactly as it is stored if that is something else."""
    match value:
        case StrEnum():
            return (words[value] if words else words_of(value)), value.value
        case bool():
            return ("Yes", "yes") if value else ("No", "no")
        case datetime():
            return written(value), value.isoformat()
        case date():
            return written_day(value), value.isoformat()
        case float():
            return f"{value:g}", None
        case _:
            return clean(str(value)), None  # it may have been kept before text was checked


def _common_sections(unit: UnitOfWork[Any], referral_id: ReferralId) -> list[Section]:
    """What the chassis stores about a referral in every service."""
    assert isinstance(unit, StoreUnit)
    audit = entries(unit.session.connection(), unit.tables.audit_entry, referral_id)
    return [
        section(Topic.RECORD, [_audit_entry(unit.service, row) for row in audit if _may_be_disclosed(row)]),
        section(Topic.NOTICES, [_notices(unit, referral_id)]),
    ]


def _may_be_disclosed(row: Mapping[str, Any]) -> bool:
    return row["what"] in DISCLOSED_ACTIONS and not (row["reason"] or "").startswith(SAFEGUARDING)


def _audit_entry(service: str, row: Mapping[str, Any]) -> Entry:
    return entry(
        ("When", datetime.fromisoformat(row["at"])),
        ("Who", who_in_words(row["who"])),
        ("What they did", DISCLOSED_ACTIONS[AuditAction(row["what"])]),
        ("Why", ON_RECORD.get(row["reason"] or "", row["reason"])),
        ("Where", PARTS.get(service, service)),
    )


def _notices(unit: StoreUnit, referral_id: ReferralId) -> Entry:
    """Since when this service has published events about the referral. Their number would reveal alerts."""
    story = unit.tables.story.c
    first = unit.session.execute(select(func.min(story.emitted_at)).where(story.referral_id == referral_id)).scalar()
    return entry(("Sent by", PARTS.get(unit.service, unit.service)), ("Since", first)) if first else Entry(facts=())
