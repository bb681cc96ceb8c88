"""What the search for a therapist is given: facts and codes derived from what a client wrote, never their words."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol

from chassis.ports import UnitOfWork
from contracts.events.intake import ReferralAssessed, ReferralReceived, TherapyLanguage
from contracts.sealed import Custody, HelpForm
from contracts.vocabulary import ClientGroup, Competence, HoldReason, PersonId, RiskLevel, Work
from services.intake.application.records import age_of, place_of
from services.intake.dependencies import Dependencies
from services.intake.domain.ages import age_band
from services.intake.domain.defaults import distance_of, known_of, sessions_of
from services.intake.domain.languages import language_of
from services.intake.domain.referral import Referral
from services.intake.domain.safeguarding import ADULT_AGE_YEARS
from services.intake.domain.states import State
from services.intake.gateways.postcodes import Place, UnknownPlace
from services.intake.store import personal_records, referrals


class Found(Protocol):
    """What an assessor decided: in a command, or as stored."""

    @property
    def risk_level(self) -> RiskLevel: ...

    @property
    def competence(self) -> Competence: ...

    @property
    def work(self) -> Work: ...


def build_referral_assessed(
    unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm, found: Found, *, at: datetime
) -> ReferralAssessed:
    """What was decided at that time, with what the client prefers and needs, can pay, and where they will live."""
    age = age_of(unit, form)
    custody = form.custody if form.client_group is ClientGroup.IN_PRISON else None
    return ReferralAssessed(
        referral_id=referral.id,
        assessed_at=at,
        risk_level=found.risk_level,
        competence=found.competence,
        work=found.work,
        therapist_sex=form.therapist_sex,
        therapist_sex_only=form.therapist_sex_only is True,
        wheelchair_access=form.wheelchair_access is True,
        person_id=person_of(unit, referral),
        age_years=age if age is not None and age < ADULT_AGE_YEARS else None,
        therapy_languages=_languages(form),
        interpreter_language=form.interpreter_language or language_of(form.interpreter),
        most_per_session=form.fee_ceiling_pence,
        online_allowed=form.online_allowed,
        release_area=_release_area(unit, custody),
        release_on=_release_on(custody),
    )


def _languages(form: HelpForm) -> tuple[TherapyLanguage, ...]:
    if form.therapy_language is None:
        return ()
    return (TherapyLanguage(language=form.therapy_language, must=form.therapy_language_must is True),)


def _release_area(unit: UnitOfWork[Dependencies], custody: Custody | None) -> str | None:
    """Where it was given as a postcode or part of one; of a town nobody can tell without a person."""
    where = custody and (custody.release_postcode or custody.release_area)
    if not where:
        return None
    try:
        return unit.dependencies.postcodes.resolve(where).outward_code
    except UnknownPlace:
        return None


def _release_on(custody: Custody | None) -> date | None:
    return custody.release_on if custody else None


def publish_search_facts(unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm) -> None:
    """Emits the request's facts again, and its assessment's if there was one, with newer sequence numbers."""
    unit.emit(build_referral_received(unit, referral, form, place_of(unit, form)))
    found = personal_records.find_assessment(unit.session, referral.id)
    if found is not None:
        unit.emit(build_referral_assessed(unit, referral, form, found, at=found.assessed_at))


def person_of(unit: UnitOfWork[Dependencies], referral: Referral) -> PersonId:
    """Identifies the person by the first of the referrals that led to this one."""
    first = referral.id
    before = referral.previous_id
    while before is not None:
        first, before = before, referrals.previous_of(unit.session, before)
    return PersonId(first)


def _may_cost_a_session(referral: Referral, form: HelpForm) -> bool:
    """False for a client who has not agreed, for what a machine may have written, and for a course alone, which is not
    subsidised, until a person has a therapist sought."""
    if referral.state is State.IN_REVIEW:
        return False
    waits_for_course = referral.state is State.ON_HOLD and referral.held_for is HoldReason.COURSE_WANTED
    return referral.client_agrees and (form.seeks_therapist or (referral.is_assessed and not waits_for_course))


def build_referral_received(
    unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm, place: Place
) -> ReferralReceived:
    """All that leaves intake of a request; emitted again whenever it changes."""
    return ReferralReceived(
        referral_id=referral.id,
        received_at=referral.received_at,
        route=form.route,
        client_group=form.client_group,
        age_band=age_band(age_of(unit, form)),
        outward_code=place.outward_code,
        local_authority=place.local_authority,
        police_force_area=place.police_force_area,
        language=form.language,
        sessions=sessions_of(form),
        max_distance_km=distance_of(form),
        subsidy_requested=form.subsidy_requested is True and _may_cost_a_session(referral, form),
        fee_ceiling_pence=form.fee_ceiling_pence,
        known_to_authorities=known_of(form),
        evaluation_consented=form.consents.evaluation is True,
        previous_referral_id=referral.previous_id,
        person_id=person_of(unit, referral),
    )
