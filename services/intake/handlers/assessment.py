"""Assessing a request: what is suggested, what a person decides, and what is late."""

from __future__ import annotations

from uuid import UUID

from chassis.ports import Timer, UnitOfWork
from contracts.commands.intake import Assess, Done, ReasonGiven, SuggestAssessment, SuggestedAssessment
from contracts.events.intake import AssessmentOverdue
from contracts.sealed import Aspects, HelpForm
from contracts.vocabulary import ReferralId, Severity
from services.intake.application import concerns, search_facts
from services.intake.application.agreements import pause_search
from services.intake.application.conflicts import refuse_who_handles_linked
from services.intake.application.history import take_step
from services.intake.application.lookup import get_as_seen, get_referral, open_sealed
from services.intake.application.records import decrypt_record
from services.intake.dependencies import Dependencies
from services.intake.domain import suggestion as domain
from services.intake.domain.defaults import known_of, legal_situation_of, work_of
from services.intake.domain.referral import Referral
from services.intake.domain.safeguarding import Finding
from services.intake.domain.states import BEFORE_ASSESSMENT, State, Step
from services.intake.domain.suggestion import Answers, Suggestion, suggest
from services.intake.store import personal_records, referrals


def suggest_assessment(unit: UnitOfWork[Dependencies], request: SuggestAssessment) -> SuggestedAssessment:
    """What the rules suggest, and why. Nothing is decided by it.

    Raises UnknownReferral, StepNotPossible, SafeguardingLeadFirst, HandlesLinkedReferral.
    """
    referral = get_referral(unit, request.referral_id)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    referral.refuse_unless_possible(Step.ASSESS)
    found = _suggestion(unit, referral, decrypt_record(unit, referral))
    return SuggestedAssessment(
        referral_id=referral.id,
        policy_version=found.policy_version,
        source=unit.dependencies.policy.source,
        risk_level=found.risk_level,
        competence=found.competence,
        work=found.work,
        reasons=tuple(
            ReasonGiven(concerns=part, rule=rule.name, why=rule.why)
            for part, rules in found.because_of.items()
            for rule in rules
        ),
    )


def assess(unit: UnitOfWork[Dependencies], request: Assess) -> Done:
    """Records a person's assessment beside what was suggested, and has a therapist sought.

    Raises UnknownReferral, StepNotPossible, SafeguardingLeadFirst, NotTheSuggestion, OverrideNeedsReason,
    HandlesLinkedReferral, NotSealedToIntake.
    """
    referral = get_as_seen(unit, request)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    take_step(unit, referral, Step.ASSESS, by=unit.actor.who, reason=request.override_reason, note=request.note)
    form = decrypt_record(unit, referral)
    suggestion = _suggestion(unit, referral, form)
    _refuse_unless_explained(suggestion, request)
    aspects = open_sealed(unit, Aspects, request.aspects)
    content = unit.dependencies.vault.encrypt(unit.session, referral.id, aspects, at=unit.now)
    personal_records.save_assessment(unit.session, request, suggestion, content, by=unit.actor.who, at=unit.now)
    pause_search(unit, referral, form)  # said first, so that nobody is sought meanwhile
    unit.emit(search_facts.build_referral_assessed(unit, referral, form, request, at=unit.now))
    if request.person_at_risk:
        finding = Finding(Severity.IMMEDIATE, request.person_at_risk)
        concerns.record_concern(unit, referral, finding, raised_by=unit.actor.who)
    return Done()


def report_overdue(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Notifies the office, once, of a request that nobody assessed in time; of a paused one after it is resumed."""
    referral = referrals.get_referral(unit.session, ReferralId(UUID(timer.key)))
    if referral.state in BEFORE_ASSESSMENT:
        unit.emit(
            AssessmentOverdue(
                referral_id=referral.id,
                due_at=referral.assess_by,
                taken_up=referral.state is State.AWAITING_ASSESSMENT,
                needs_safeguarding_lead=referral.needs_lead,
            )
        )


def _suggestion(unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm) -> Suggestion:
    answers = Answers(
        client_group=form.client_group,
        route=form.route,
        legal_situation=legal_situation_of(form),
        known_to_authorities=known_of(form),
        work=work_of(form),
        identifiable_person_at_risk=form.identifiable_person_at_risk is True,
        young=referral.young,
    )
    return suggest(unit.dependencies.policy, answers)


def _refuse_unless_explained(suggestion: Suggestion, request: Assess) -> None:
    domain.refuse_unless_explained(
        suggestion,
        risk_level=request.risk_level,
        competence=request.competence,
        work=request.work,
        use=request.suggestion,
        reason=request.override_reason,
    )
