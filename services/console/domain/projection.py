"""What each event changes of a referral, or of a concern, as the console lists them.

Events of different publishers arrive in any order, and one that was retried comes after a newer one. So each rule takes
what its own event says only where that is newer than what is there, and nothing depends on another event. A snapshot
says at once what events before it have said: it has the number of the last of them, and is taken before all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.commands import snapshots
from contracts.event import Event
from contracts.events import billing, console, intake, matching, notifications
from contracts.vocabulary import AlertStep, ConcernOutcome
from services.console.domain.referral import BEGUN_WITHIN, Concern, Referral

Number = int
"""An event's number among its publisher's about its subject."""


def apply(referral: Referral, event: Event, number: Number, heard_at: datetime) -> None:
    """Notes that an event about the referral was heard, and what follows from it."""
    referral.version += 1
    referral.heard_at = max(referral.heard_at, heard_at)
    if rule := RULES.get(type(event)):
        rule(referral, event, number)


def apply_to_concern(concern: Concern, event: Event) -> None:
    CONCERN_RULES[type(event)](concern, event)


def _step_taken(referral: Referral, event: intake.ReferralStepTaken, number: Number) -> None:
    if event.number <= referral.step:
        return
    referral.step = event.number
    if event.state != referral.state:
        referral.state, referral.state_since = event.state, event.taken_at
    referral.reason = event.waits_for or (None if event.step == NOTE else event.reason)
    referral.assess_by, referral.needs_safeguarding_lead = event.due_at, event.needs_safeguarding_lead
    referral.place = event.place
    if event.step == TAKE_UP and not referral.assigned_by_hand:
        referral.assigned_to, referral.handed_over_at = event.account_id, None


TAKE_UP, NOTE = "take_up", "note"
"""Steps of intake's: who takes a referral up has it, and what a note is about is no reason of where it stands."""


def _assigned(referral: Referral, event: console.ReferralAssigned, number: Number) -> None:
    """What is made nobody's is again the work of whoever takes it up."""
    referral.assigned_to, referral.assigned_by_hand = event.account_id, event.account_id is not None
    referral.handed_over_at = event.assigned_at if event.account_id != event.assigned_by else None


def _received(referral: Referral, event: intake.ReferralReceived, number: Number) -> None:
    if number <= referral.received_number:
        return
    referral.received_number, referral.received_at = number, event.received_at
    referral.route, referral.client_group, referral.age_band = event.route, event.client_group, event.age_band
    referral.local_authority, referral.language = event.local_authority, event.language
    referral.sessions, referral.previous_referral_id = event.sessions, event.previous_referral_id


def _assessed(referral: Referral, event: intake.ReferralAssessed, number: Number) -> None:
    if number <= referral.assessed_number:
        return
    referral.assessed_number, referral.assessed_at = number, event.assessed_at
    referral.risk_level, referral.competence, referral.work = event.risk_level, event.competence, event.work


def _by_matching(rule: Callable[[Referral, Any], None]) -> Callable[[Referral, Any, Number], None]:
    """Only matching's newest word on the referral counts."""

    def newest(referral: Referral, event: Event, number: Number) -> None:
        if number > referral.matching_number:
            referral.matching_number = number
            rule(referral, event)

    return newest


def _offered(referral: Referral, event: matching.TherapistOffered) -> None:
    referral.offers_made += 1
    referral.offered_to, referral.offer_expires_at = event.therapist_id, event.expires_at
    referral.offer_distance_km, referral.stalled_for = event.distance_km, None


def _offer_over(referral: Referral, event: Event) -> None:
    referral.offered_to = referral.offer_expires_at = referral.offer_distance_km = None


def _stalled(referral: Referral, event: matching.MatchingStalled) -> None:
    _offer_over(referral, event)
    referral.stalled_for = event.reason.value


def _matched(referral: Referral, event: matching.TherapistMatched) -> None:
    _offer_over(referral, event)
    referral.match_id, referral.therapist_id, referral.matched_at = event.match_id, event.therapist_id, event.matched_at
    referral.stalled_for = None


def _match_ended(referral: Referral, event: matching.MatchEnded) -> None:
    referral.match_id = referral.matched_at = None


def _match_goes_on(referral: Referral, event: matching.MatchEndUndone) -> None:
    referral.match_id, referral.therapist_id = event.match_id, event.therapist_id


def _unrecorded(referral: Referral, event: billing.AttendanceUnrecorded, number: Number) -> None:
    _ask_about(referral, event.match_id)


def _ask_about(referral: Referral, match_id: UUID) -> None:
    """Of two matches the later one counts, whichever is heard of first: identifiers begin with the time."""
    referral.unrecorded_match = max(referral.unrecorded_match or match_id, match_id)


def _subsidy(standing: str) -> Callable[[Referral, Any, Number], None]:
    def note(referral: Referral, event: Event, number: Number) -> None:
        if number > referral.subsidy_number:
            referral.subsidy_number, referral.subsidy = number, standing

    return note


def _released(referral: Referral, event: billing.SubsidyReleased, number: Number) -> None:
    """An award that is lowered to a therapist's fee goes on paying."""
    _subsidy("approved" if event.pence_per_session else "released")(referral, event, number)


def _as_it_is(referral: Referral, snapshot: snapshots.ReferralSnapshot, number: Number) -> None:
    if snapshot.step.number > referral.step:
        _step_taken(referral, snapshot.step, number)
        referral.state_since = snapshot.state_since
        if snapshot.taken_up_by and not referral.assigned_by_hand:
            referral.assigned_to = snapshot.taken_up_by
    _received(referral, snapshot.received, number)
    if snapshot.assessed:
        _assessed(referral, snapshot.assessed, number)


def _search_as_it_is(referral: Referral, snapshot: snapshots.SearchSnapshot) -> None:
    referral.offers_made, referral.offered_to = snapshot.offers_made, snapshot.offered_to
    referral.offer_expires_at, referral.offer_distance_km = snapshot.offer_expires_at, snapshot.offer_distance_km
    referral.stalled_for = snapshot.stalled_for and snapshot.stalled_for.value
    referral.match_id, referral.therapist_id = snapshot.match_id, snapshot.therapist_id
    referral.matched_at = snapshot.matched_at
    # What billing has asked about before isn't told; whether a first session was recorded follows from the state.
    if snapshot.match_id and snapshot.matched_at and referral.heard_at >= snapshot.matched_at + BEGUN_WITHIN:
        _ask_about(referral, snapshot.match_id)


def _subsidy_as_it_is(referral: Referral, snapshot: snapshots.SubsidySnapshot, number: Number) -> None:
    _subsidy(snapshot.standing.value)(referral, snapshot, number)


RULES: Mapping[type[Event], Callable[[Referral, Any, Number], None]] = {
    intake.ReferralStepTaken: _step_taken,
    intake.ReferralReceived: _received,
    intake.ReferralAssessed: _assessed,
    matching.TherapistOffered: _by_matching(_offered),
    matching.OfferDeclined: _by_matching(_offer_over),
    matching.OfferExpired: _by_matching(_offer_over),
    matching.OfferWithdrawn: _by_matching(_offer_over),
    matching.MatchingStalled: _by_matching(_stalled),
    matching.TherapistMatched: _by_matching(_matched),
    matching.MatchEnded: _by_matching(_match_ended),
    matching.MatchEndUndone: _by_matching(_match_goes_on),
    billing.AttendanceUnrecorded: _unrecorded,
    billing.SubsidyApproved: _subsidy("approved"),
    billing.SubsidyAssigned: _subsidy("approved"),
    billing.SubsidyResumed: _subsidy("approved"),
    billing.SubsidyWaitlisted: _subsidy("waitlisted"),
    billing.SubsidyDeclined: _subsidy("declined"),
    billing.SubsidyReleased: _released,
    console.ReferralAssigned: _assigned,
    snapshots.ReferralSnapshot: _as_it_is,
    snapshots.SearchSnapshot: _by_matching(_search_as_it_is),
    snapshots.SubsidySnapshot: _subsidy_as_it_is,
}


def _raised(concern: Concern, event: intake.SafeguardingConcernRaised) -> None:
    concern.severity, concern.category = event.severity, event.category
    concern.raised_at = event.raised_at


def _sent(concern: Concern, event: notifications.SafeguardingAlertSent) -> None:
    _climbed(concern, event.step, event.sent_at)


def _escalated(concern: Concern, event: notifications.SafeguardingAlertEscalated) -> None:
    _climbed(concern, event.step, event.escalated_at)


def _climbed(concern: Concern, step: AlertStep, at: datetime) -> None:
    if concern.climbed_at is None or at >= concern.climbed_at:
        concern.step, concern.climbed_at = step, at


def _acknowledged(concern: Concern, event: notifications.SafeguardingAlertAcknowledged) -> None:
    _taken_in_hand(concern, event.acknowledged_at)


def _taken_in_hand(concern: Concern, at: datetime) -> None:
    concern.acknowledged_at = min(concern.acknowledged_at or at, at)


def _settled(concern: Concern, event: notifications.SafeguardingOutcomeRecorded) -> None:
    _decided(concern, event.outcome, event.recorded_at)


def _decided(concern: Concern, outcome: ConcernOutcome, at: datetime) -> None:
    if concern.outcome_at is None or at >= concern.outcome_at:
        concern.outcome, concern.outcome_at = outcome, at


def _concern_as_it_is(concern: Concern, snapshot: snapshots.ConcernSnapshot) -> None:
    concern.severity, concern.category, concern.raised_at = snapshot.severity, snapshot.category, snapshot.raised_at
    if snapshot.step and snapshot.climbed_at:
        _climbed(concern, snapshot.step, snapshot.climbed_at)
    if snapshot.acknowledged_at:
        _taken_in_hand(concern, snapshot.acknowledged_at)
    if snapshot.outcome and snapshot.outcome_at:
        _decided(concern, snapshot.outcome, snapshot.outcome_at)


CONCERN_RULES: Mapping[type[Event], Callable[[Concern, Any], None]] = {
    intake.SafeguardingConcernRaised: _raised,
    notifications.SafeguardingAlertSent: _sent,
    notifications.SafeguardingAlertEscalated: _escalated,
    notifications.SafeguardingAlertAcknowledged: _acknowledged,
    notifications.SafeguardingOutcomeRecorded: _settled,
    snapshots.ConcernSnapshot: _concern_as_it_is,
}
