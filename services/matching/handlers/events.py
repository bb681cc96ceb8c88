"""What matching does when a referral is received, assessed, or helped to pay."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.billing import (
    SubsidyApproved,
    SubsidyDeclined,
    SubsidyReleased,
    SubsidyResumed,
    SubsidyWaitlisted,
)
from contracts.events.intake import (
    ReferralAssessed,
    ReferralReceived,
)
from contracts.london import day_of
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    PersonId,
    ReferralId,
    SubsidyReleaseReason,
)
from services.matching.application import pauses, search, timer_names
from services.matching.application.erasure_guard import unless_erased
from services.matching.application.lookup import expect_referral
from services.matching.dependencies import Dependencies
from services.matching.domain import days
from services.matching.domain.locations import Point
from services.matching.domain.referral import Assessment, Referral, SubsidyState, may_meet_online
from services.matching.store import referrals


@unless_erased
def note_referral(unit: UnitOfWork[Dependencies], event: ReferralReceived) -> None:
    """Begins a search, which waits for the assessment; or records newer facts about the client."""
    point = unit.dependencies.locations.locate(event.outward_code)
    referral = referrals.find_referral(unit.session, event.referral_id)
    if referral is None:
        unit.session.add(_referral_of(unit, event, point))
    elif referral.update_request(
        point=point,
        sessions=event.sessions,
        max_distance_km=event.max_distance_km,
        fee_ceiling_pence=event.fee_ceiling_pence,
        sequence=unit.sequence,
    ):
        search.review_offer(unit, referral)


@unless_erased
def note_assessment(unit: UnitOfWork[Dependencies], event: ReferralAssessed) -> None:
    """Starts the search, unless billing has still to decide a subsidy; or reviews an offer by the newer assessment."""
    referral = expect_referral(unit, event.referral_id)
    referral.risk_level = event.risk_level
    if event.person_id is not None:
        referral.person_id = event.person_id
    found = _assessment_of(unit, event, referral.client_group)
    if not referral.record_assessment(found, sequence=unit.sequence):
        return
    if event.release_on is not None and not found.online_allowed:
        unit.set_timer(timer_names.RELEASED, referral.id, days.start_of(event.release_on))
    pauses.apply_concerns(unit, referral.id)
    search.review_offer(unit, referral)


@unless_erased
def note_subsidy(unit: UnitOfWork[Dependencies], event: SubsidyApproved | SubsidyResumed) -> None:
    """More can be paid a session, so more therapists come into question."""
    _record_subsidy(unit, event.referral_id, SubsidyState.APPROVED, event.pence_per_session)


@unless_erased
def note_subsidy_waitlisted(unit: UnitOfWork[Dependencies], event: SubsidyWaitlisted) -> None:
    """Meanwhile the search is for a therapist whom the client can pay alone."""
    _record_subsidy(unit, event.referral_id, SubsidyState.WAITLISTED)


@unless_erased
def note_subsidy_declined(unit: UnitOfWork[Dependencies], event: SubsidyDeclined) -> None:
    """The client can pay what therapists ask, so nothing is waited for."""
    _record_subsidy(unit, event.referral_id, SubsidyState.DECLINED)


@unless_erased
def note_subsidy_released(unit: UnitOfWork[Dependencies], event: SubsidyReleased) -> None:
    """An award was lowered to a therapist's fee, and pays no more of the next one's."""
    if event.reason is SubsidyReleaseReason.FEE_LOWER_THAN_AWARDED and event.pence_per_session is not None:
        _record_subsidy(unit, event.referral_id, SubsidyState.APPROVED, event.pence_per_session)


def _referral_of(unit: UnitOfWork[Dependencies], event: ReferralReceived, point: Point | None) -> Referral:
    return Referral(
        id=event.referral_id,
        person_id=_person_of(unit, event),
        under_18=event.age_band is AgeBand.UNDER_18 or event.client_group is ClientGroup.YOUNG_PERSON,
        client_group=event.client_group,
        latitude=point.latitude if point else None,
        longitude=point.longitude if point else None,
        language=event.language,
        sessions=event.sessions,
        max_distance_km=event.max_distance_km,
        fee_ceiling_pence=event.fee_ceiling_pence,
        subsidy=SubsidyState.UNDECIDED if event.subsidy_requested else SubsidyState.NOT_REQUESTED,
        received_sequence=unit.sequence,
        age_band=event.age_band,
    )


def _person_of(unit: UnitOfWork[Dependencies], event: ReferralReceived) -> PersonId:
    """As intake says; failing that, the person of the referral that this one takes up again."""
    if event.person_id is not None:
        return event.person_id
    before = event.previous_referral_id and referrals.read_referral(unit.session, event.previous_referral_id)
    return (before and before.person_id) or PersonId(event.previous_referral_id or event.referral_id)


def _assessment_of(unit: UnitOfWork[Dependencies], event: ReferralAssessed, group: ClientGroup) -> Assessment:
    return Assessment(
        competence=event.competence,
        work=event.work,
        therapist_sex=event.therapist_sex,
        therapist_sex_only=event.therapist_sex_only,
        wheelchair_access=event.wheelchair_access,
        age_years=event.age_years,
        required_languages=[spoken.language for spoken in event.therapy_languages if spoken.must],
        preferred_languages=[spoken.language for spoken in event.therapy_languages if not spoken.must],
        interpreter_language=event.interpreter_language,
        most_per_session=event.most_per_session,
        online_allowed=may_meet_online(
            group,
            allowed=event.online_allowed,
            release_on=event.release_on,
            today=day_of(unit.now),
        ),
        release=unit.dependencies.locations.locate(event.release_area) if event.release_area else None,
    )


def _record_subsidy(
    unit: UnitOfWork[Dependencies], referral_id: ReferralId, subsidy: SubsidyState, pence_per_session: int = 0
) -> None:
    referral = expect_referral(unit, referral_id)
    if referral.record_subsidy(subsidy=subsidy, pence_per_session=pence_per_session, sequence=unit.sequence):
        search.review_offer(unit, referral)
