"""What evaluation does about each thing it hears."""

from __future__ import annotations

from chassis.ports import NotYet, UnitOfWork
from chassis.privacy.sealing import Unopenable
from contracts.events.intake import (
    ReferralAssessed,
    ReferralReceived,
    ReferralReopened,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.events.matching import MatchEnded, MatchEndUndone, TherapistMatched
from contracts.events.notifications import SafeguardingOutcomeRecorded
from contracts.events.web import EvaluationReturned
from contracts.vocabulary import PersonId, Stage, WithdrawalReason
from services.evaluation.application import invitations
from services.evaluation.application.invitations import FOLLOW_UP, REVIEW, invite_both, stop, stop_timers, take_back
from services.evaluation.application.submissions import open_form, take
from services.evaluation.dependencies import Dependencies
from services.evaluation.domain.invitations import Match
from services.evaluation.store import repository, unreadable_forms


def note_referral(unit: UnitOfWork[Dependencies], event: ReferralReceived) -> None:
    """Keeps whether the client agreed to evaluation, the age band that an instrument must fit, and whose it is.

    It is said anew when the client agrees later, or takes that back: then nobody asks them any more.
    """
    referral = repository.referral_of(unit.session, event.referral_id)
    if not referral.advance_request(unit.sequence):
        return
    if referral.consented and not event.evaluation_consented:
        invitations.ask_client_no_more(unit, referral)
    referral.consented, referral.age_band = event.evaluation_consented, event.age_band
    referral.person_id = _whose(unit, event)
    # A later referral of theirs, heard of before this one, took them for this one's.
    repository.are_one_person(unit.session, PersonId(event.referral_id), referral.person_id)


def _whose(unit: UnitOfWork[Dependencies], event: ReferralReceived) -> PersonId:
    """The id of their first referral, as far as is known here."""
    if event.person_id:
        return event.person_id
    before = event.previous_referral_id
    return PersonId((before and repository.person_of(unit.session, before)) or before or event.referral_id)


def note_age(unit: UnitOfWork[Dependencies], event: ReferralAssessed) -> None:
    """Keeps the age of somebody under 18, which an instrument for young people must fit."""
    referral = repository.referral_of(unit.session, event.referral_id)
    if not referral.is_withdrawn:
        referral.age_years = event.age_years


def note_concern(unit: UnitOfWork[Dependencies], event: SafeguardingConcernRaised) -> None:
    """Nobody is reminded of a form while it is open what comes of it."""
    if not repository.referral_of(unit.session, event.referral_id).is_erased:
        repository.concern_of(unit.session, event.concern_id).referral_id = event.referral_id


def note_outcome(unit: UnitOfWork[Dependencies], event: SafeguardingOutcomeRecorded) -> None:
    if not repository.referral_of(unit.session, event.referral_id).is_erased:
        repository.concern_of(unit.session, event.concern_id).settled_at = event.recorded_at


def stop_withdrawn(unit: UnitOfWork[Dependencies], event: ReferralWithdrawn) -> None:
    if event.reason is WithdrawalReason.DUPLICATE:
        return  # nothing has begun that could be asked about, and the referral may be reopened
    referral = repository.referral_of(unit.session, event.referral_id)
    if referral.withdraw(at=unit.now, sequence=unit.sequence):
        stop(unit, referral)


def note_reopened(unit: UnitOfWork[Dependencies], event: ReferralReopened) -> None:
    """Whoever is matched after all is asked as everybody is."""
    repository.referral_of(unit.session, event.referral_id).reopen(sequence=unit.sequence)


def ask_at_start(unit: UnitOfWork[Dependencies], event: TherapistMatched) -> None:
    """Asks both how things are before the work begins, and sets the time of the review."""
    if repository.find_match(unit.session, event.match_id):
        return
    referral = repository.referral_of(unit.session, event.referral_id)
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
        unit.set_timer(REVIEW, match.match_id, event.matched_at + unit.dependencies.settings.review_after)


def ask_at_end(unit: UnitOfWork[Dependencies], event: MatchEnded) -> None:
    """Asks both once more, and sets the time of the follow-up; nobody is asked about work that never began."""
    match = repository.find_match(unit.session, event.match_id)
    if match is None:
        raise NotYet("the match is not recorded here yet")
    if not match.end(reason=event.reason, at=event.ended_at):
        return
    stop_timers(unit, match)
    if match.never_began:
        take_back(unit, match)
    elif not repository.referral_of(unit.session, match.referral_id).is_withdrawn:
        invite_both(unit, match, Stage.END)
        unit.set_timer(FOLLOW_UP, match.match_id, event.ended_at + unit.dependencies.settings.follow_up_after)


def note_end_undone(unit: UnitOfWork[Dependencies], event: MatchEndUndone) -> None:
    """They go on working together: what was asked because they had parted is taken back, and the reviews go on."""
    match = repository.find_match(unit.session, event.match_id)
    if match is None or match.ended_at is None:
        raise NotYet("that the match ended is not recorded here yet")
    began = not match.never_began
    if not match.undo_end(at=event.undone_at):
        return
    stop_timers(unit, match)
    take_back(unit, match, stages=(Stage.END, Stage.FOLLOW_UP))
    if repository.referral_of(unit.session, match.referral_id).is_withdrawn:
        return
    if not began:
        invite_both(unit, match, Stage.START)
    unit.set_timer(REVIEW, match.match_id, max(match.matched_at + unit.dependencies.settings.review_after, unit.now))


def take_form(unit: UnitOfWork[Dependencies], event: EvaluationReturned) -> None:
    """Scores a form by its instrument's rules. The same form a second time does nothing.

    One that is sealed to a key that isn't here is kept until it is. Raises Invalid for one that belongs to no
    invitation or to one that is used up, or doesn't fit.
    """
    try:
        form = open_form(unit, event.sealed)
    except Unopenable:
        unreadable_forms.keep(unit, event)
    else:
        take(unit, form)
