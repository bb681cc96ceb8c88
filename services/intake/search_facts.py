"""What the search for a therapist goes by: facts and codes out of what a client wrote, never their words."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Protocol

from chassis.ports import UnitOfWork
from contracts.events.intake import ReferralAssessed, TherapyLanguage
from contracts.sealed import Custody, HelpForm
from contracts.vocabulary import ClientGroup, Competence, RiskLevel, Work
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.safeguarding import ADULT_AGE_YEARS
from services.intake.gateways.postcodes import UnknownPlace
from services.intake.records import age_of, person_of

INTERPRETED = {
    "polish": "pl",
    "romanian": "ro",
    "panjabi": "pa",
    "punjabi": "pa",
    "urdu": "ur",
    "portuguese": "pt",
    "spanish": "es",
    "arabic": "ar",
    "bengali": "bn",
    "gujarati": "gu",
    "italian": "it",
    "welsh": "cy",
    "british sign language": "bfi",
    "bsl": "bfi",
}
"""The main languages besides English of the Census of England and Wales 2021 (ONS), and British Sign Language."""

UNDETERMINED = "und"


class Found(Protocol):
    """What an assessor found: a command that says so, or what is kept of one."""

    @property
    def risk_level(self) -> RiskLevel: ...

    @property
    def competence(self) -> Competence: ...

    @property
    def work(self) -> Work: ...


def assessed(
    unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm, found: Found, *, at: datetime
) -> ReferralAssessed:
    """What a person found at that time, with what the client prefers and needs, can pay, and where they will be."""
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


def language_of(interpreter: str | None) -> str | None:
    """The language of the interpreter that somebody asked for in their own words; `und` if it can't be told."""
    if not (interpreter or "").strip():
        return None
    text = (interpreter or "").casefold()
    found = (code for name, code in INTERPRETED.items() if re.search(rf"\b{name}\b", text))
    return next(found, UNDETERMINED)


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
