"""What intake holds about a person: told to themselves, and read by a person of the charity. Both go on record.

What is left out of what they are told, and why, is in `docs/subject-access.md`.
"""

from __future__ import annotations

from sqlalchemy import or_, select

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from chassis.subject_access import reached, sealed, section
from contracts.commands.intake import Done
from contracts.commands.subject import (
    AboutSubject,
    AskSamePerson,
    Entry,
    LeaveOut,
    ReadRecord,
    SamePerson,
    SealedHolding,
    Section,
    Topic,
)
from contracts.sealed import HelpForm
from contracts.vocabulary import HoldReason, Known, Party, ReferralId, ResumptionReason
from services.intake import contact_changes, privacy_store, retention, store, telling
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral, State
from services.intake.labels import LABELS
from services.intake.linking import refuse_who_handles_linked
from services.intake.records import personal_record
from services.intake.refusals import UnknownReferral, find, get

WRITERS = frozenset(path for path in LABELS if path.startswith("written_by.")) - {
    "written_by.client_agrees",
    "written_by.agreed_how",
}
"""What is about whoever wrote for somebody else: theirs, and not the client's to be told."""

FREE_WORDS = frozenset({"concern", "hopes", "access_needs"})
SAFEGUARDING = frozenset({HoldReason.SAFEGUARDING.value, ResumptionReason.SAFEGUARDING_SETTLED.value})
"""Reasons that tell of a safeguarding enquiry."""

LOOKED_THROUGH = frozenset({"risk"})
"""Aspects of the assessment that a person looks through first, in every case alike, so that nothing follows from it."""


class NothingLeftToRead(UnknownReferral):
    """The person was erased."""


def same_person(unit: UnitOfWork[Dependencies], request: AskSamePerson) -> list[SamePerson]:
    """The referral of this reference first, then those before and after it and those merged with it.

    Raises UnknownReferral.
    """
    asked = find(unit, request.reference)
    if asked is None:
        raise UnknownReferral("There is no request with this reference. Please check it.")
    known, new = {asked.id: asked}, [asked]
    while new:
        found = [one for referral in new for one in _next_to(unit, referral) if one.id not in known]
        known |= {one.id: one for one in found}
        new = found
    return [SamePerson(referral_id=one.id, reference=one.reference) for one in known.values()]


def tell(unit: UnitOfWork[Dependencies], request: AboutSubject) -> list[Section]:
    """What the person may be told. Raises UnknownReferral, HandlesLinkedReferral."""
    referral = get(unit, request.referral_id)
    refuse_who_handles_linked(unit, referral, request.asked_by)
    found = privacy_store.find_erasure(unit.session, referral.id)
    sections = [
        section(Topic.ERASURE, [telling.erasure(found)] if found else []),
        section(Topic.REQUEST, [telling.request(referral)]),
        section(Topic.STEPS, telling.steps(unit, referral, untold=SAFEGUARDING)),
    ]
    if referral.state is State.ERASED:
        return sections
    form = personal_record(unit, referral)
    return [
        *sections,
        section(Topic.KEEPING, [telling.keeping(retention.kept_until(unit, referral))]),
        telling.answers(form, but=_in_confidence(form)),
        section(Topic.CONTACT, _named_since(unit, referral, Party.CLIENT)),
        telling.consents(form),
        section(Topic.ASSESSMENT, telling.assessment(unit, referral, but=LOOKED_THROUGH)),
    ]


def _named_since(unit: UnitOfWork[Dependencies], referral: Referral, *whose: Party) -> list[Entry]:
    """A new contact that a person has still to confirm."""
    contact = contact_changes.waiting_contact(unit, referral, whose=whose)
    return [reached(contact)] if contact else []


def tell_writer(unit: UnitOfWork[Dependencies], request: AboutSubject) -> list[Section]:
    """What whoever wrote for the client may be told: what is theirs. Raises UnknownReferral, HandlesLinkedReferral."""
    referral = get(unit, request.referral_id)
    refuse_who_handles_linked(unit, referral, request.asked_by)
    if referral.state is State.ERASED:
        return []
    known = telling.writer(personal_record(unit, referral).written_by)
    return [section(Topic.CONTACT, [*known, *_named_since(unit, referral, Party.WRITER)])]


def read_record(unit: UnitOfWork[Dependencies], request: ReadRecord) -> SealedHolding:
    """All that a client wrote, their assessment and what was noted, for whoever may read it.

    Raises UnknownReferral, NothingLeftToRead, HandlesLinkedReferral, CannotSeal.
    """
    referral = get(unit, request.referral_id)
    refuse_who_handles_linked(unit, referral, request.staff)
    if referral.state is State.ERASED:
        raise NothingLeftToRead(f"{referral.reference} was erased: there is nothing left to read.")
    unit.record_audit(AuditAction.READ, who=request.staff, subject_id=referral.id, reason=request.reason.value)
    form = personal_record(unit, referral)
    sections = [
        section(Topic.REQUEST, [telling.request(referral)]),
        telling.answers(form),
        section(Topic.CONTACT, _named_since(unit, referral, *Party)),
        telling.consents(form),
        section(Topic.STEPS, telling.steps(unit, referral)),
        section(Topic.ASSESSMENT, telling.assessment(unit, referral)),
    ]
    return sealed(unit, sections, seal_to_=request.seal_to)


def leave_out(unit: UnitOfWork[Dependencies], request: LeaveOut) -> Done:
    """Puts on record what a person leaves out of an export, whichever service holds it.

    Raises UnknownReferral, HandlesLinkedReferral.
    """
    for one in request.entries:
        referral = get(unit, one.referral_id)
        refuse_who_handles_linked(unit, referral, request.staff)
        which = f"{one.ground.value} {one.service}/{one.topic.value}/{one.place}"
        unit.record_audit(AuditAction.LEFT_OUT, who=request.staff, subject_id=referral.id, reason=which)
    return Done()


def _in_confidence(form: HelpForm) -> frozenset[str]:
    """The fields that tell what somebody else said in confidence, or who they are."""
    if form.written_by is None:
        return frozenset()
    theirs = WRITERS | {f"answers.{one.question}" for one in form.answers if one.question.startswith("writer_")}
    if form.written_by.client_agrees is Known.YES:
        return theirs
    return theirs | FREE_WORDS | {f"answers.{one.question}" for one in form.answers}


def _next_to(unit: UnitOfWork[Dependencies], referral: Referral) -> list[Referral]:
    """The referral that this one takes up or was merged into, and those that take it up or were merged into it."""
    table = store.referrals.c
    wanted = or_(table.previous_id == referral.id, table.merged_into == referral.id)
    before = [one for one in (referral.previous_id, referral.merged_into) if one is not None]
    found = select(Referral).where(or_(wanted, table.id.in_([ReferralId(one) for one in before])))
    return list(unit.session.scalars(found.order_by(table.received_at, table.id)))
