"""What intake holds about a person, for a subject access request: the client's, or that of whoever wrote for them.

What is left out, and why, is in `docs/subject-access.md`.
"""

from __future__ import annotations

from chassis.ports import UnitOfWork
from chassis.subject_access import section
from contracts.commands.subject import GetSubjectData, Section, Topic
from contracts.sealed import HelpForm
from contracts.vocabulary import HoldReason, Known, Party, ResumptionReason
from services.intake.application import disclosure, retention_dates
from services.intake.application.conflicts import refuse_who_handles_linked
from services.intake.application.disclosure import unconfirmed_contact_entries
from services.intake.application.labels import LABELS
from services.intake.application.lookup import get_referral
from services.intake.application.records import decrypt_record
from services.intake.dependencies import Dependencies
from services.intake.domain.states import State
from services.intake.store import erasures

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


def tell(unit: UnitOfWork[Dependencies], request: GetSubjectData) -> list[Section]:
    """What the person may be told. Raises UnknownReferral, HandlesLinkedReferral."""
    referral = get_referral(unit, request.referral_id)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    found = erasures.find_erasure(unit.session, referral.id)
    sections = [
        section(Topic.ERASURE, [disclosure.erasure_entry(found)] if found else []),
        section(Topic.REQUEST, [disclosure.request_entry(referral)]),
        section(Topic.STEPS, disclosure.history_entries(unit, referral, untold=SAFEGUARDING)),
    ]
    if referral.state is State.ERASED:
        return sections
    form = decrypt_record(unit, referral)
    return [
        *sections,
        section(Topic.KEEPING, [disclosure.retention_entry(retention_dates.retention_date_for(unit, referral))]),
        disclosure.answers_section(form, but=_in_confidence(form)),
        section(Topic.CONTACT, unconfirmed_contact_entries(unit, referral, Party.CLIENT)),
        disclosure.consents_section(form),
        section(Topic.ASSESSMENT, disclosure.assessment_entries(unit, referral, but=LOOKED_THROUGH)),
    ]


def tell_writer(unit: UnitOfWork[Dependencies], request: GetSubjectData) -> list[Section]:
    """What whoever wrote for the client may be told: what is theirs. Raises UnknownReferral, HandlesLinkedReferral."""
    referral = get_referral(unit, request.referral_id)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    if referral.state is State.ERASED:
        return []
    known = disclosure.writer_entries(decrypt_record(unit, referral).written_by)
    return [section(Topic.CONTACT, [*known, *unconfirmed_contact_entries(unit, referral, Party.WRITER)])]


def _in_confidence(form: HelpForm) -> frozenset[str]:
    """The fields that tell what somebody else said in confidence, or who they are."""
    if form.written_by is None:
        return frozenset()
    theirs = WRITERS | {
        f"answers.{answer.question}" for answer in form.answers if answer.question.startswith("writer_")
    }
    if form.written_by.client_agrees is Known.YES:
        return theirs
    return theirs | FREE_WORDS | {f"answers.{answer.question}" for answer in form.answers}
