"""Who reads a person's record, what is left out of their export, and which referrals are one person's."""

from __future__ import annotations

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from chassis.subject_access import sealed, section
from contracts.accounts import AccountId
from contracts.commands.intake import Done
from contracts.commands.subject import LeaveOut, ListSamePerson, ReadRecord, SamePerson, SealedHolding, Topic
from contracts.events.intake import ReadingsStopped
from contracts.permissions import account_of
from contracts.vocabulary import Party
from services.intake.application import disclosure
from services.intake.application.conflicts import refuse_who_handles_linked
from services.intake.application.disclosure import unconfirmed_contact_entries
from services.intake.application.lookup import find_by_reference, get_referral
from services.intake.application.records import decrypt_record
from services.intake.dependencies import Dependencies
from services.intake.domain.states import State
from services.intake.errors import NothingLeftToRead, UnknownReferral
from services.intake.store import related_referrals


def same_person(unit: UnitOfWork[Dependencies], request: ListSamePerson) -> list[SamePerson]:
    """The referral of this reference first, then those before and after it and those merged with it.

    Raises UnknownReferral.
    """
    asked = find_by_reference(unit, request.reference)
    if asked is None:
        raise UnknownReferral("There is no request with this reference. Please check it.")
    known, new = {asked.id: asked}, [asked]
    while new:
        found = [
            neighbour
            for referral in new
            for neighbour in related_referrals.neighbours_of(unit.session, referral)
            if neighbour.id not in known
        ]
        known |= {neighbour.id: neighbour for neighbour in found}
        new = found
    return [SamePerson(referral_id=referral.id, reference=referral.reference) for referral in known.values()]


def read_record(unit: UnitOfWork[Dependencies], request: ReadRecord) -> SealedHolding:
    """All that a client wrote, their assessment and what was noted, for whoever may read it.

    Raises UnknownReferral, NothingLeftToRead, HandlesLinkedReferral, CannotSeal.
    """
    referral = get_referral(unit, request.referral_id)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    if referral.state is State.ERASED:
        raise NothingLeftToRead(f"{referral.reference} was erased: there is nothing left to read.")
    unit.record_audit(AuditAction.READ, who=unit.actor.who, subject_id=referral.id, reason=request.reason.value)
    form = decrypt_record(unit, referral)
    sections = [
        section(Topic.REQUEST, [disclosure.request_entry(referral)]),
        disclosure.answers_section(form),
        section(Topic.CONTACT, unconfirmed_contact_entries(unit, referral, *Party)),
        disclosure.consents_section(form),
        section(Topic.STEPS, disclosure.history_entries(unit, referral)),
        section(Topic.ASSESSMENT, disclosure.assessment_entries(unit, referral)),
    ]
    return sealed(unit, sections, seal_to_=request.seal_to)


def report_readings(unit: UnitOfWork[Dependencies], who: str) -> None:
    """Says that somebody was stopped who had read about many people."""
    front_end, account = account_of(who)
    account_id = AccountId(account) if account else None
    stop_id = unit.new_id()
    unit.emit(ReadingsStopped(stop_id=stop_id, front_end=front_end, account_id=account_id, stopped_at=unit.now))


def leave_out(unit: UnitOfWork[Dependencies], request: LeaveOut) -> Done:
    """Puts on record what a person leaves out of an export, whichever service holds it.

    Raises UnknownReferral, HandlesLinkedReferral.
    """
    for entry in request.entries:
        referral = get_referral(unit, entry.referral_id)
        refuse_who_handles_linked(unit, referral, unit.actor.who)
        which = f"{entry.ground.value} {entry.service}/{entry.topic.value}/{entry.place}"
        unit.record_audit(AuditAction.LEFT_OUT, who=unit.actor.who, subject_id=referral.id, reason=which)
    return Done()
