"""Telling people what is held about them: facts in words, the record of who has looked, all of it sealed.

A service says what it holds. What every service keeps alike (its audit log, its list of notices) is added here, and
here the export is put on record, so that no service can answer and not record it::

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
from contracts.sealed import SafeContact
from contracts.text import clean
from contracts.vocabulary import Party, ReferralId

Teller = Callable[[UnitOfWork[Any], GetSubjectData], list[Section]]

SAFEGUARDING = "safeguarding"
"""A reading for a reason that begins so is not told: that there is an enquiry may be what must not be known."""

DEEDS = {
    AuditAction.READ: "Read",
    AuditAction.EXPORTED: "Gathered all that is held, for you to see",
    AuditAction.ERASED: "Erased",
}
"""What is told of the record. Other deeds may tell of a police matter, or of other people."""


class CannotSeal(Refused):
    """The key that came with the question can't be sealed to."""


def nothing(unit: UnitOfWork[Any], request: GetSubjectData) -> list[Section]:
    """What most services hold of whoever wrote for a client."""
    return []


def telling(tell: Teller, tell_writer: Teller = nothing) -> CommandHandler:
    """The command `about_subject` of a service that tells this much itself, of a client and of whoever wrote for them.

    Raises CannotSeal, and what these do.
    """

    def about_subject(unit: UnitOfWork[Any], request: GetSubjectData) -> SealedHolding:
        tell_them = tell if request.whose is Party.CLIENT else tell_writer
        sections = tell_them(unit, request)
        if any(one.entries for one in sections):
            reason = request.reason.value
            unit.record_audit(AuditAction.EXPORTED, who=request.asked_by, subject_id=request.referral_id, reason=reason)
        kept_by_all = _kept_by_all(unit, request.referral_id) if request.whose is Party.CLIENT else []
        return sealed(unit, [*sections, *kept_by_all], seal_to_=request.seal_to)

    return about_subject


def sealed(unit: UnitOfWork[Any], sections: Iterable[Section], *, seal_to_: str) -> SealedHolding:
    """Sections that hold something, as this service's answer. Raises CannotSeal."""
    assert isinstance(unit, StoreUnit)
    held = Holding(service=unit.service, sections=tuple(one for one in sections if one.entries))
    try:
        return SealedHolding(sealed=seal_to(seal_to_, held))
    except NotAKey as refusal:
        raise CannotSeal(f"This can't be answered: {refusal}.") from None


def section(topic: Topic, found: Iterable[Entry]) -> Section:
    return Section(topic=topic, entries=tuple(one for one in found if one.facts))


def entry(*facts: tuple[str, object]) -> Entry:
    """What is known of these; a value of None or nothing is left out."""
    return Entry(facts=tuple(fact(what, value) for what, value in facts if value not in (None, "", ())))


def reached(contact: SafeContact) -> Entry:
    """How somebody is safely reached, told to themselves."""
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
    several = value if isinstance(value, tuple) else (value,)
    said = [_said(one, words) for one in several]
    exactly = tuple(code for _, code in said if code is not None)
    return Fact(what=what, value="; ".join(text for text, _ in said), exactly=exactly, asked=asked)


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


def _said(value: object, words: Mapping[Any, str] | None) -> tuple[str, str | None]:
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


def _kept_by_all(unit: UnitOfWork[Any], referral_id: ReferralId) -> list[Section]:
    """What every service keeps about a referral, besides what it is there for."""
    assert isinstance(unit, StoreUnit)
    looked = entries(unit.session.connection(), unit.tables.audit_entry, referral_id)
    return [
        section(Topic.RECORD, [_looked(unit.service, one) for one in looked if _may_be_told(one)]),
        section(Topic.NOTICES, [_notices(unit, referral_id)]),
    ]


def _may_be_told(one: Mapping[str, Any]) -> bool:
    return one["what"] in DEEDS and not (one["reason"] or "").startswith(SAFEGUARDING)


def _looked(service: str, one: Mapping[str, Any]) -> Entry:
    return entry(
        ("When", datetime.fromisoformat(one["at"])),
        ("Who", one["who"]),
        ("What they did", DEEDS[AuditAction(one["what"])]),
        ("Why", ON_RECORD.get(one["reason"] or "", one["reason"])),
        ("Where", PARTS.get(service, service)),
    )


def _notices(unit: StoreUnit, referral_id: ReferralId) -> Entry:
    """Since when there are any. How many there are would tell of alerts."""
    story = unit.tables.story.c
    first = unit.session.execute(select(func.min(story.emitted_at)).where(story.referral_id == referral_id)).scalar()
    return entry(("Sent by", PARTS.get(unit.service, unit.service)), ("Since", first)) if first else Entry(facts=())
