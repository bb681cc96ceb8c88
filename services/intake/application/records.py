"""What a client wrote, stored encrypted under a key of that person, and what follows from it."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.london import day_of
from contracts.sealed import HelpForm
from services.intake.dependencies import Dependencies
from services.intake.domain.ages import age_in_years
from services.intake.domain.referral import Referral
from services.intake.gateways.postcodes import Place
from services.intake.store import personal_records


def decrypt_record(unit: UnitOfWork[Dependencies], referral: Referral) -> HelpForm:
    content = personal_records.get_personal_record(unit.session, referral.id)
    return unit.dependencies.vault.decrypt(unit.session, referral.id, HelpForm, content)


def replace_record(unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm) -> None:
    """Stores the corrected form in place of the one before."""
    content = unit.dependencies.vault.encrypt(unit.session, referral.id, form, at=unit.now)
    personal_records.correct_personal_record(unit.session, referral.id, content)


def place_of(unit: UnitOfWork[Dependencies], form: HelpForm) -> Place:
    """Where a therapist is sought: where the client is, or where somebody in prison will live then."""
    released_to = form.custody.release_postcode if form.custody else None
    return unit.dependencies.postcodes.place_of(released_to or form.postcode)


def age_of(unit: UnitOfWork[Dependencies], form: HelpForm) -> int | None:
    return age_in_years(age=form.age, date_of_birth=form.date_of_birth, on=day_of(unit.now))
