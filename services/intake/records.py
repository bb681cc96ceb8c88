"""What a client told, opened with their key and kept under it, and what of it may leave intake."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.intake import ReferralReceived
from contracts.london import day_of
from contracts.sealed import HelpForm
from contracts.vocabulary import PersonId
from services.intake import store
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral, age_band, age_in_years
from services.intake.domain.unanswered import distance_of, known_of, sessions_of
from services.intake.gateways.postcodes import Place


def personal_record(unit: UnitOfWork[Dependencies], referral: Referral) -> HelpForm:
    content = store.get_personal_record(unit.session, referral.id)
    return unit.dependencies.vault.decrypt(unit.session, referral.id, HelpForm, content)


def keep_record(unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm) -> None:
    """Puts what is known now in place of what was known before."""
    content = unit.dependencies.vault.encrypt(unit.session, referral.id, form, at=unit.now)
    store.correct_personal_record(unit.session, referral.id, content)


def place_of(unit: UnitOfWork[Dependencies], form: HelpForm) -> Place:
    """Where a therapist is sought: where the client is, or where somebody in prison will live then."""
    released_to = form.custody.release_postcode if form.custody else None
    return unit.dependencies.postcodes.place_of(released_to or form.postcode)


def age_of(unit: UnitOfWork[Dependencies], form: HelpForm) -> int | None:
    return age_in_years(age=form.age, date_of_birth=form.date_of_birth, on=day_of(unit.now))


def person_of(unit: UnitOfWork[Dependencies], referral: Referral) -> PersonId:
    """The first of all referrals that were taken up again until this one."""
    first = referral.id
    before = referral.previous_id
    while before is not None:
        first, before = before, store.previous_of(unit.session, before)
    return PersonId(first)


def received(unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm, place: Place) -> ReferralReceived:
    """What leaves intake of a request, said anew whenever it changes."""
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
        subsidy_requested=form.subsidy_requested is True,
        fee_ceiling_pence=form.fee_ceiling_pence,
        known_to_authorities=known_of(form),
        evaluation_consented=form.consents.evaluation is True,
        previous_referral_id=referral.previous_id,
        person_id=person_of(unit, referral),
    )
