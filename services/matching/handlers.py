"""What happens at matching when it hears something, or when a time has come."""

from __future__ import annotations

from uuid import UUID

from chassis.ports import NotYet, Timer, UnitOfWork
from contracts.events.billing import (
    MembershipLapsed,
    MembershipRenewed,
    SubsidyApproved,
    SubsidyDeclined,
    SubsidyReleased,
    SubsidyWaitlisted,
)
from contracts.events.intake import (
    ReferralAssessed,
    ReferralClosed,
    ReferralHeld,
    ReferralReceived,
    ReferralReopened,
    ReferralResumed,
    ReferralSignposted,
    ReferralsLinked,
    ReferralsUnlinked,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.events.matching import MatchingStalled, OfferExpired, TherapistReinstated, TherapistSuspended
from contracts.events.notifications import SafeguardingAlertAcknowledged
from contracts.london import day_of
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    OfferId,
    OfferWithdrawalReason,
    PersonId,
    ReferralId,
    Severity,
    SubsidyReleaseReason,
    SuspensionReason,
    TherapistId,
)
from services.matching import search, store
from services.matching.dependencies import Dependencies
from services.matching.domain.links import Link
from services.matching.domain.places import Point
from services.matching.domain.referral import Assessment, Referral, SubsidyState, may_meet_online
from services.matching.domain.therapist import Therapist
from services.matching.erased import unless_erased


@unless_erased
def note_referral(unit: UnitOfWork[Dependencies], event: ReferralReceived) -> None:
    """Begins a search, which waits for the assessment; or learns anew where the client is and how they can meet."""
    point = unit.dependencies.places.locate(event.outward_code)
    referral = store.find_referral(unit.session, event.referral_id)
    if referral is None:
        unit.session.add(_referral_of(unit, event, point))
    elif referral.asks_anew(
        point=point,
        sessions=event.sessions,
        max_distance_km=event.max_distance_km,
        fee_ceiling_pence=event.fee_ceiling_pence,
        sequence=unit.sequence,
    ):
        search.look_again(unit, referral)


@unless_erased
def note_assessment(unit: UnitOfWork[Dependencies], event: ReferralAssessed) -> None:
    """Starts asking therapists, unless billing has still to say what can be paid; or goes by what is known better."""
    referral = _known(unit, event.referral_id)
    referral.risk_level = event.risk_level
    if event.person_id is not None:
        referral.person_id = event.person_id
    found = _assessment_of(unit, event, referral.client_group)
    if not referral.assessed(found, sequence=unit.sequence):
        return
    if event.release_on is not None and not found.online_allowed:
        unit.set_timer(search.RELEASED, referral.id, search.beginning_of(event.release_on))
    search.heed_concerns(unit, referral.id)
    search.look_again(unit, referral)


@unless_erased
def note_subsidy(unit: UnitOfWork[Dependencies], event: SubsidyApproved) -> None:
    """More can be paid a session, so more therapists come into question."""
    _subsidy_decided(unit, event.referral_id, SubsidyState.APPROVED, event.pence_per_session)


@unless_erased
def note_subsidy_waitlisted(unit: UnitOfWork[Dependencies], event: SubsidyWaitlisted) -> None:
    """Meanwhile somebody is sought whom the client can pay alone."""
    _subsidy_decided(unit, event.referral_id, SubsidyState.WAITLISTED)


@unless_erased
def note_subsidy_declined(unit: UnitOfWork[Dependencies], event: SubsidyDeclined) -> None:
    """The client can pay what therapists ask, so nothing is waited for."""
    _subsidy_decided(unit, event.referral_id, SubsidyState.DECLINED)


@unless_erased
def note_subsidy_released(unit: UnitOfWork[Dependencies], event: SubsidyReleased) -> None:
    """An award was lowered to a therapist's fee, and pays no more of the next one's."""
    if event.reason is SubsidyReleaseReason.FEE_LOWER_THAN_AWARDED and event.pence_per_session is not None:
        _subsidy_decided(unit, event.referral_id, SubsidyState.APPROVED, event.pence_per_session)


@unless_erased
def hold(unit: UnitOfWork[Dependencies], event: ReferralHeld) -> None:
    referral = _known(unit, event.referral_id)
    if referral.is_newer(unit.sequence):
        search.hold(unit, referral)


@unless_erased
def resume(unit: UnitOfWork[Dependencies], event: ReferralResumed) -> None:
    referral = _known(unit, event.referral_id)
    if referral.is_newer(unit.sequence):
        referral.resume()
        search.seek(unit, referral)


@unless_erased
def reopen(unit: UnitOfWork[Dependencies], event: ReferralReopened) -> None:
    """What was stopped as a duplicate is none; it waits for its assessment, if that hasn't overtaken this."""
    referral = _known(unit, event.referral_id)
    if referral.is_newer(unit.sequence):
        referral.reopen()
        search.heed_concerns(unit, referral.id)
        search.seek(unit, referral)


def note_link(unit: UnitOfWork[Dependencies], event: ReferralsLinked) -> None:
    """Two referrals have no therapist in common from now on. Therapy that has begun is a person's to look at."""
    if not _is_newest_of_link(unit, event, stands=True):
        return
    # The first asked keeps the offer; either may not have been heard of yet, and is then kept apart when it is.
    for referral_id in (event.other_referral_id, event.referral_id):
        search.keep_apart(unit, referral_id)


def note_unlink(unit: UnitOfWork[Dependencies], event: ReferralsUnlinked) -> None:
    """Who was kept from the two comes into question again."""
    if not _is_newest_of_link(unit, event, stands=False):
        return
    for referral_id in (event.other_referral_id, event.referral_id):
        for id_ in sorted(store.all_of_person(unit.session, referral_id)):
            referral = store.find_referral(unit.session, id_)
            if referral is not None:
                search.seek(unit, referral)


def note_concern(unit: UnitOfWork[Dependencies], event: SafeguardingConcernRaised) -> None:
    """An immediate concern comes first: nobody is asked about the client until a person has it in hand."""
    if event.severity is Severity.IMMEDIATE:
        store.note_concern(unit.session, event.concern_id, event.referral_id, immediate=True)
        search.heed_concerns(unit, event.referral_id)


def note_acknowledgement(unit: UnitOfWork[Dependencies], event: SafeguardingAlertAcknowledged) -> None:
    """A person has the concern in hand. This may come before the concern itself."""
    store.note_concern(unit.session, event.concern_id, event.referral_id, acknowledged=True)
    search.heed_concerns(unit, event.referral_id)


@unless_erased
def stop_withdrawn(unit: UnitOfWork[Dependencies], event: ReferralWithdrawn) -> None:
    """What is said of a duplicate's person from now on is said of the other's."""
    referral = _known(unit, event.referral_id)
    if not referral.is_newer(unit.sequence):
        return
    search.stop(unit, referral)
    referral.duplicate_of = event.merged_into_id
    if event.merged_into_id is not None:
        search.keep_apart(unit, event.merged_into_id)
        search.heed_concerns(unit, event.merged_into_id)


@unless_erased
def stop_signposted(unit: UnitOfWork[Dependencies], event: ReferralSignposted) -> None:
    _stop(unit, event.referral_id)


@unless_erased
def stop_closed(unit: UnitOfWork[Dependencies], event: ReferralClosed) -> None:
    _stop(unit, event.referral_id)


def suspend_lapsed(unit: UnitOfWork[Dependencies], event: MembershipLapsed) -> None:
    therapist = _known_therapist(unit, event.therapist_id)
    if _is_newer(unit, therapist):
        suspend(unit, therapist, SuspensionReason.MEMBERSHIP_LAPSED)


def reinstate_renewed(unit: UnitOfWork[Dependencies], event: MembershipRenewed) -> None:
    therapist = _known_therapist(unit, event.therapist_id)
    if _is_newer(unit, therapist):
        reinstate(unit, therapist, SuspensionReason.MEMBERSHIP_LAPSED)


def expire_offer(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Nobody answered in time, so the next best is asked."""
    offer = store.find_offer(unit.session, OfferId(UUID(timer.key)))
    if offer is None or not offer.expire():
        return
    search.leave_unanswered(unit, offer)
    search.release_place(unit, offer)
    unit.emit(OfferExpired(offer_id=offer.id, referral_id=offer.referral_id, therapist_id=offer.therapist_id))
    referral = _known(unit, offer.referral_id)
    referral.seek_on()
    search.seek(unit, referral)


def report_stalled(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """A person is told, once, that a referral has been waiting for long; it goes on being re-tried."""
    referral = store.find_referral(unit.session, ReferralId(UUID(timer.key)))
    if referral is None or referral.waiting_since is None:
        return
    referral.waiting_for, referral.stall_told = search.why_nobody(unit, referral), True
    unit.emit(
        MatchingStalled(
            referral_id=referral.id,
            reason=referral.waiting_for,
            waiting_since=referral.waiting_since,
            highest_fee_pence=referral.highest_fee_pence,
        )
    )


def serve_waiting_list(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Room has come: tries those on the waiting list whom it may suit, the longest waiting first."""
    search.serve_one_opening(unit)


def come_back(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """The day has come until which a therapist was away."""
    therapist = _known_therapist(unit, TherapistId(UUID(timer.key)))
    therapist.come_back()
    search.open_to_waiting_list(unit, therapist)


def note_release(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """A client has left prison, so that sessions can be online too."""
    referral = store.find_referral(unit.session, ReferralId(UUID(timer.key)))
    if referral is not None and referral.released():
        search.seek(unit, referral)


def suspend(unit: UnitOfWork[Dependencies], therapist: Therapist, reason: SuspensionReason) -> bool:
    """No new offers from now on; open ones are taken back and others are asked. False if it was so already."""
    if not therapist.suspend(reason=reason):
        return False
    unit.emit(TherapistSuspended(therapist_id=therapist.id, reason=reason))
    for offer in store.open_offers(unit.session, therapist.id):
        referral = _known(unit, offer.referral_id)
        search.withdraw_offer(unit, offer, OfferWithdrawalReason.THERAPIST_SUSPENDED)
        referral.seek_on()
        search.seek(unit, referral)
    return True


def reinstate(unit: UnitOfWork[Dependencies], therapist: Therapist, reason: SuspensionReason) -> bool:
    """False if the therapist was not suspended for this."""
    if not therapist.reinstate(reason=reason):
        return False
    unit.emit(TherapistReinstated(therapist_id=therapist.id, reason=reason))
    search.open_to_waiting_list(unit, therapist)
    return True


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
    """Intake's word for it; failing that, whoever the referral belongs to that this one takes up again."""
    if event.person_id is not None:
        return event.person_id
    before = event.previous_referral_id and store.read_referral(unit.session, event.previous_referral_id)
    return (before and before.person_id) or PersonId(event.previous_referral_id or event.referral_id)


def _assessment_of(unit: UnitOfWork[Dependencies], event: ReferralAssessed, group: ClientGroup) -> Assessment:
    return Assessment(
        competence=event.competence,
        work=event.work,
        therapist_sex=event.therapist_sex,
        therapist_sex_only=event.therapist_sex_only,
        wheelchair_access=event.wheelchair_access,
        age_years=event.age_years,
        required_languages=[one.language for one in event.therapy_languages if one.must],
        preferred_languages=[one.language for one in event.therapy_languages if not one.must],
        interpreter_language=event.interpreter_language,
        most_per_session=event.most_per_session,
        online_allowed=may_meet_online(
            group,
            allowed=event.online_allowed,
            release_on=event.release_on,
            today=day_of(unit.now),
        ),
        release=unit.dependencies.places.locate(event.release_area) if event.release_area else None,
    )


def _is_newest_of_link(
    unit: UnitOfWork[Dependencies], event: ReferralsLinked | ReferralsUnlinked, *, stands: bool
) -> bool:
    link = store.find_link(unit.session, event.link_id)
    if link is not None:
        return link.says(stands=stands, sequence=unit.sequence)
    unit.session.add(
        Link(
            id=event.link_id,
            referral_id=event.referral_id,
            other_id=event.other_referral_id,
            kind=event.kind,
            stands=stands,
            sequence=unit.sequence,
        )
    )
    return True


def _stop(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> None:
    referral = _known(unit, referral_id)
    if referral.is_newer(unit.sequence):
        search.stop(unit, referral)


def _subsidy_decided(
    unit: UnitOfWork[Dependencies], referral_id: ReferralId, subsidy: SubsidyState, pence_per_session: int = 0
) -> None:
    referral = _known(unit, referral_id)
    if referral.subsidy_decided(subsidy=subsidy, pence_per_session=pence_per_session, sequence=unit.sequence):
        search.look_again(unit, referral)


def _is_newer(unit: UnitOfWork[Dependencies], therapist: Therapist) -> bool:
    """Whether this is billing's latest word on the membership."""
    if unit.sequence < therapist.membership_sequence:
        return False
    therapist.membership_sequence = unit.sequence
    return True


def _known(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> Referral:
    referral = store.find_referral(unit.session, referral_id)
    if referral is None:
        raise NotYet("the referral has not been heard of yet")
    return referral


def _known_therapist(unit: UnitOfWork[Dependencies], therapist_id: TherapistId) -> Therapist:
    therapist = store.find_therapist(unit.session, therapist_id)
    if therapist is None:
        raise NotYet("the therapist is not recorded yet")
    return therapist
