"""What intake holds about a person, as sections to read: for themselves, and for staff who may read the record."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from chassis.ports import UnitOfWork
from chassis.subject_access import entry, fact, pounds, reached, who_in_words
from contracts.commands.intake import CameBy, DiscardReason, NoteKind
from contracts.commands.subject import Entry, Fact, Section, Topic
from contracts.labels import LANGUAGES
from contracts.sealed import Aspects, Consents, FormAnswer, HelpForm, Note, Writer
from contracts.shape import Shape
from contracts.vocabulary import (
    ClosureReason,
    ConsentKind,
    ContactChangeReason,
    HoldReason,
    MatchEndReason,
    MergeReason,
    NeedsChangeReason,
    OverrideReason,
    Party,
    ReReferralReason,
    ResumptionReason,
    SessionReversalReason,
    SignpostReason,
    UndoReason,
    UnmergeReason,
    WithdrawalReason,
)
from services.intake.application import contacts
from services.intake.application.labels import (
    ASPECTS,
    CODED,
    IN_SECTIONS_OF_THEIR_OWN,
    LABELS,
    STATES,
    STEPS,
    WRITTEN_BY,
)
from services.intake.dependencies import Dependencies
from services.intake.domain.erasure import Erasure
from services.intake.domain.referral import Referral
from services.intake.domain.retention import RetentionDate
from services.intake.domain.states import State, Step
from services.intake.store import personal_records, referrals

REASONS: dict[Step, type[StrEnum]] = {
    Step.RECEIVE: ReReferralReason,
    Step.DISCARD: DiscardReason,
    Step.ASSESS: OverrideReason,
    Step.SIGNPOST: SignpostReason,
    Step.HOLD: HoldReason,
    Step.RESUME: ResumptionReason,
    Step.RECORD_CONSENT: ConsentKind,
    Step.CHANGE_CONTACT: ContactChangeReason,
    Step.CHANGE_NEEDS: NeedsChangeReason,
    Step.UNDO: UndoReason,
    Step.NOT_BEGUN: SessionReversalReason,
    Step.PART: MatchEndReason,
    Step.GO_ON: UndoReason,
    Step.END: MatchEndReason,
    Step.CLOSE: ClosureReason,
    Step.WITHDRAW: WithdrawalReason,
    Step.MERGE: MergeReason,
    Step.UNMERGE: UnmergeReason,
    Step.RE_REFER: ReReferralReason,
    Step.NOTE: NoteKind,
}
"""In which words each step's reason is told. Those of other steps are not: a therapist's are theirs."""


def request_entry(referral: Referral) -> Entry:
    """What is stored unencrypted, and names nobody."""
    told = entry(
        ("Reference", referral.reference),
        ("Received on", referral.received_at),
        ("For", referral.client_group),
        ("To be assessed by", referral.assess_by),
        ("Your place, as far as we could find it from your postcode", referral.place),
        ("A young person’s request, which our safeguarding lead sees first", referral.young),
        ("The safeguarding lead has seen it", referral.lead_signed if referral.young else None),
        ("The words you chose are kept as a mark from which nobody can read them", bool(referral.passphrase_mark)),
        ("Times in a row that somebody typed other words", str(referral.failed_passphrases)),
    )
    return Entry(facts=(fact("How it stands", referral.state, words=STATES), *told.facts))


def retention_entry(date: RetentionDate) -> Entry:
    """Until when it is retained. Not what may stop the erasure then: that could reveal an enquiry."""
    return entry(
        ("Until, unless you come back to us", date.due_at),
        ("Why so long", date.term.why),
        ("Counted from", date.counted_from),
    )


def answers_section(form: HelpForm, *, but: Collection[str] = ()) -> Section:
    """Everything that was typed, each by the field that it fills, but for these fields."""
    facts = (stated for stated in _facts_of(form) if stated.asked not in but)
    return Section(
        topic=Topic.ANSWERS,
        entries=(Entry(facts=tuple(facts)),),
        definition=form.definition,
        definition_version=form.definition_version,
    )


def consents_section(form: HelpForm) -> Section:
    """What was agreed to, each with the version of its text; of an older form, which named no texts, as it was kept."""
    if form.consent_texts:
        entries = [
            Entry(
                facts=(
                    fact("Agreed", consent.agreed, asked=f"answers.{consent.text}"),
                    fact("Version of the text", str(consent.version)),
                    fact("On", consent.given_at),
                    *((fact("You told us", consent.told),) if consent.told else ()),
                )
            )
            for consent in form.consent_texts
        ]
    else:
        entries = [_consents(form.consents)]
    return Section(
        topic=Topic.CONSENTS,
        entries=tuple(entries),
        definition=form.definition,
        definition_version=form.definition_version,
    )


def writer_entries(found: Writer | None) -> list[Entry]:
    """What is kept about whoever wrote for a client, as they may see it."""
    if found is None:
        return []
    contact = found.safe_contact
    named = entry(
        ("Name", found.name),
        ("Organisation", found.organisation),
        ("Role", found.role),
        ("Who you are to them", found.relationship),
        ("What you told us of whether they agree", found.client_agrees),
        ("How you know", found.agreed_how),
    )
    return [named, reached(contact)] if contact else [named]


def history_entries(unit: UnitOfWork[Dependencies], referral: Referral, *, untold: Collection[str] = ()) -> list[Entry]:
    """Every step, with its reason and note. Both are left out where the reason is one of `untold`."""
    return [_step(unit, referral, row, untold) for row in referrals.history_of(unit.session, referral.id)]


def assessment_entries(unit: UnitOfWork[Dependencies], referral: Referral, *, but: Collection[str] = ()) -> list[Entry]:
    """What was decided, what the rules had suggested, and the aspects in the assessor's words, but for these."""
    row = personal_records.find_decision(unit.session, referral.id)
    if row is None:
        return []
    aspects = unit.dependencies.vault.decrypt(unit.session, referral.id, Aspects, row.content)
    words = [(label, getattr(aspects, name)) for name, label in ASPECTS.items() if name not in but]
    decided = (
        ("Assessed on", row.assessed_at),
        ("By", who_in_words(row.assessor)),
        ("Level", row.risk_level),
        ("The training a therapist needs", row.competence),
        ("Kind of work", row.work),
    )
    suggested = (
        ("What the rules suggested: level", row.suggested_risk_level),
        ("Training", row.suggested_competence),
        ("Work", row.suggested_work),
        ("Version of the rules", row.policy_version and str(row.policy_version)),
        ("What the assessor made of that", row.suggestion),
        ("Why they decided otherwise", row.override_reason),
    )
    return [entry(*decided), entry(*suggested), entry(*words)]


def erasure_entry(found: Erasure) -> Entry:
    return entry(("Erased on", found.erased_at), ("Why", found.reason), ("By", who_in_words(found.erased_by)))


def _consents(given: Consents) -> Entry:
    return entry(
        ("You may keep and use what I have written", given.processing),
        ("I understand what stays between us and what cannot", given.confidentiality_understood),
        ("You may give the contact details to a therapist", given.pass_to_therapist),
        ("You may ask how things are going", given.evaluation),
        ("You may use the answers for research, without anything that tells who", given.research),
        ("Version of the text", str(given.text_version)),
        ("On", given.given_at),
    )


def _facts_of(shape: Shape, prefix: str = "") -> Iterator[Fact]:
    for name, value in vars(shape).items():
        path = f"{prefix}{name}"
        if path in IN_SECTIONS_OF_THEIR_OWN or value in (None, "", ()):
            continue
        if path == "answers":
            yield from (_answer(answer) for answer in value)
        elif isinstance(value, Shape):
            yield from _facts_of(value, f"{path}.")
        else:
            told = fact(LABELS[path], _readable(path, value), asked=path)
            yield replace(told, exactly=_codes(value)) if path in CODED else told


def _readable(path: str, value: Any) -> Any:
    if path.endswith("_pence"):
        return pounds(value)
    if path in CODED:
        return "; ".join(code.replace("_", " ").capitalize() for code in _codes(value))
    return LANGUAGES.get(value, value) if path.endswith("language") else value


def _codes(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _answer(answer: FormAnswer) -> Fact:
    """The question's own words stand in the form's definition, which who shows this looks up."""
    said = (*((answer.text,) if answer.text else ()), *answer.several)
    told = fact(answer.question.replace("_", " ").capitalize(), said, asked=f"answers.{answer.question}")
    return Fact(what=told.what, value=told.value, exactly=said, asked=told.asked)


def _step(unit: UnitOfWork[Dependencies], referral: Referral, row: Row[Any], untold: Collection[str]) -> Entry:
    told = row.reason not in untold
    why = _reason(row.step, row.reason) if row.reason and told else None
    note = None
    if row.note is not None and told and referral.state is not State.ERASED:
        note = unit.dependencies.vault.decrypt(unit.session, referral.id, Note, row.note).text
    moved = (fact("What happened", row.step, words=STEPS), fact("Since then", row.state, words=STATES))
    by = WRITTEN_BY.get(row.taken_by) or who_in_words(row.taken_by)
    rest = entry(("By", by), ("Why", why), ("In words", note))
    return Entry(facts=(fact("When", row.taken_at), *moved, *rest.facts))


def _reason(step: Step, code: str) -> StrEnum | None:
    """What came in was either asked again, or typed in by staff; of whoever sent it themselves there is no reason."""
    if step is Step.RECEIVE and code in set(CameBy):
        return CameBy(code)
    meaning = REASONS.get(step)
    return meaning(code) if meaning else None


def unconfirmed_contact_entries(unit: UnitOfWork[Dependencies], referral: Referral, *whose: Party) -> list[Entry]:
    """A new contact that a person has still to confirm."""
    contact = contacts.unconfirmed_contact(unit, referral, whose=whose)
    return [reached(contact)] if contact else []
