"""What evaluation does about each thing it hears, and at each time it has set itself."""

from __future__ import annotations

from uuid import UUID

from chassis.ports import NotYet, Timer, Unit
from contracts.events.intake import (
    ReferralAssessed,
    ReferralReceived,
    ReferralReopened,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.events.matching import MatchEnded, MatchEndUndone, TherapistMatched
from contracts.events.notifications import SafeguardingOutcomeRecorded
from contracts.vocabulary import InvitationId, MatchId, PersonId, Stage, WithdrawalReason
from services.evaluation import inviting, store
from services.evaluation.domain.invitations import Match
from services.evaluation.inviting import FOLLOW_UP, REVIEW, invite_both, stop, stop_timers, take_back
from services.evaluation.returning import take_form
from services.evaluation.tools import Tools

__all__ = [
    "ask_at_end",
    "ask_at_start",
    "chase",
    "invite_to_follow_up",
    "invite_to_review",
    "note_age",
    "note_concern",
    "note_end_undone",
    "note_outcome",
    "note_referral",
    "note_reopened",
    "stop_withdrawn",
    "take_form",
]


def note_referral(unit: Unit[Tools], event: ReferralReceived) -> None:
    """Keeps whether the client agreed to evaluation, the age band that an instrument must fit, and whose it is.

    It is said anew when the client agrees later, or takes that back: then nobody asks them any more.
    """
    referral = store.referral_of(unit.session, event.referral_id)
    if not referral.is_news(unit.sequence):
        return
    if referral.consented and not event.evaluation_consented:
        inviting.ask_client_no_more(unit, referral)
    referral.consented, referral.age_band = event.evaluation_consented, event.age_band
    referral.person_id = _whose(unit, event)
    # A later referral of theirs, heard of before this one, took them for this one's.
    store.are_one_person(unit.session, PersonId(event.referral_id), referral.person_id)


def _whose(unit: Unit[Tools], event: ReferralReceived) -> PersonId:
    """The id of their first referral, as far as is known here."""
    if event.person_id:
        return event.person_id
    before = event.previous_referral_id
    return PersonId((before and store.person_of(unit.session, before)) or before or event.referral_id)


def note_age(unit: Unit[Tools], event: ReferralAssessed) -> None:
    """Keeps the age of somebody under 18, which an instrument for young people must fit."""
    referral = store.referral_of(unit.session, event.referral_id)
    if not referral.is_withdrawn:
        referral.age_years = event.age_years


def note_concern(unit: Unit[Tools], event: SafeguardingConcernRaised) -> None:
    """Nobody is reminded of a form while it is open what comes of it."""
    if not store.referral_of(unit.session, event.referral_id).is_erased:
        store.concern_of(unit.session, event.concern_id).referral_id = event.referral_id


def note_outcome(unit: Unit[Tools], event: SafeguardingOutcomeRecorded) -> None:
    if not store.referral_of(unit.session, event.referral_id).is_erased:
        store.concern_of(unit.session, event.concern_id).settled_at = event.recorded_at


def stop_withdrawn(unit: Unit[Tools], event: ReferralWithdrawn) -> None:
    if event.reason is WithdrawalReason.DUPLICATE:
        return  # nothing has begun that could be asked about, and the referral may be reopened
    referral = store.referral_of(unit.session, event.referral_id)
    if referral.withdraw(at=unit.now, sequence=unit.sequence):
        stop(unit, referral)


def note_reopened(unit: Unit[Tools], event: ReferralReopened) -> None:
    """Whoever is matched after all is asked as everybody is."""
    store.referral_of(unit.session, event.referral_id).reopen(sequence=unit.sequence)


def ask_at_start(unit: Unit[Tools], event: TherapistMatched) -> None:
    """Asks both how things are before the work begins, and sets the time of the review."""
    if store.find_match(unit.session, event.match_id):
        return
    referral = store.referral_of(unit.session, event.referral_id)
    if not (referral.is_known or referral.is_withdrawn):
        raise NotYet("whether the client agreed to evaluation is not known here yet")
    match = Match(
        match_id=event.match_id,
        referral_id=event.referral_id,
        therapist_id=event.therapist_id,
        matched_at=event.matched_at,
    )
    unit.session.add(match)
    if not referral.is_withdrawn:
        invite_both(unit, match, Stage.START)
        unit.set_timer(REVIEW, match.match_id, event.matched_at + unit.tools.settings.review_after)


def ask_at_end(unit: Unit[Tools], event: MatchEnded) -> None:
    """Asks both once more, and sets the time of the follow-up; nobody is asked about work that never began."""
    match = store.find_match(unit.session, event.match_id)
    if match is None:
        raise NotYet("the match is not recorded here yet")
    if not match.end(reason=event.reason, at=event.ended_at):
        return
    stop_timers(unit, match)
    if match.never_began:
        take_back(unit, match)
    elif not store.referral_of(unit.session, match.referral_id).is_withdrawn:
        invite_both(unit, match, Stage.END)
        unit.set_timer(FOLLOW_UP, match.match_id, event.ended_at + unit.tools.settings.follow_up_after)


def note_end_undone(unit: Unit[Tools], event: MatchEndUndone) -> None:
    """They go on working together: what was asked because they had parted is taken back, and the reviews go on."""
    match = store.find_match(unit.session, event.match_id)
    if match is None or match.ended_at is None:
        raise NotYet("that the match ended is not recorded here yet")
    began = not match.never_began
    if not match.undo_end(at=event.undone_at):
        return
    stop_timers(unit, match)
    take_back(unit, match, stages=(Stage.END, Stage.FOLLOW_UP))
    if store.referral_of(unit.session, match.referral_id).is_withdrawn:
        return
    if not began:
        invite_both(unit, match, Stage.START)
    unit.set_timer(REVIEW, match.match_id, max(match.matched_at + unit.tools.settings.review_after, unit.now))


def chase(unit: Unit[Tools], timer: Timer) -> None:
    """It is time for a reminder, or for a link to end."""
    invitation = store.find_invitation(unit.session, InvitationId(UUID(timer.key)))
    if invitation:
        inviting.chase(unit, invitation)


def invite_to_review(unit: Unit[Tools], timer: Timer) -> None:
    match = _match_of(unit, timer)
    if match and not match.has_ended:
        invite_both(unit, match, Stage.REVIEW)


def invite_to_follow_up(unit: Unit[Tools], timer: Timer) -> None:
    """Says nothing if the client has begun anew with another therapist: that work has forms of its own."""
    match = _match_of(unit, timer)
    if match and store.matches_of(unit.session, match.referral_id)[-1] is match:
        invite_both(unit, match, Stage.FOLLOW_UP)


def _match_of(unit: Unit[Tools], timer: Timer) -> Match | None:
    return store.find_match(unit.session, MatchId(UUID(timer.key)))
