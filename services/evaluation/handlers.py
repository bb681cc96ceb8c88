"""What evaluation does about each thing it hears, and at each time it has set itself."""

from __future__ import annotations

from uuid import UUID

from chassis.ports import NotYet, Timer, Unit
from contracts.events.intake import ReferralReceived, ReferralWithdrawn
from contracts.events.matching import MatchEnded, TherapistMatched
from contracts.vocabulary import MatchId, Stage, WithdrawalReason
from services.evaluation import store
from services.evaluation.domain.invitations import Match
from services.evaluation.inviting import FOLLOW_UP, REVIEW, invite_both, stop, stop_timers
from services.evaluation.returning import take_form
from services.evaluation.tools import Tools

__all__ = [
    "ask_at_end",
    "ask_at_start",
    "invite_to_follow_up",
    "invite_to_review",
    "note_referral",
    "stop_withdrawn",
    "take_form",
]


def note_referral(unit: Unit[Tools], event: ReferralReceived) -> None:
    """Keeps whether the client agreed to evaluation, and the age band that an instrument must fit."""
    referral = store.referral_of(unit.session, event.referral_id)
    if not referral.is_known:
        referral.consented, referral.age_band = event.evaluation_consented, event.age_band


def stop_withdrawn(unit: Unit[Tools], event: ReferralWithdrawn) -> None:
    if event.reason is WithdrawalReason.DUPLICATE:
        return  # nothing has begun that could be asked about, and the referral may be reopened
    referral = store.referral_of(unit.session, event.referral_id)
    if not referral.is_withdrawn:
        referral.withdrawn_at = unit.now
        stop(unit, referral)


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
        _take_back(unit, match)
    elif not store.referral_of(unit.session, match.referral_id).is_withdrawn:
        invite_both(unit, match, Stage.END)
        unit.set_timer(FOLLOW_UP, match.match_id, event.ended_at + unit.tools.settings.follow_up_after)


def invite_to_review(unit: Unit[Tools], timer: Timer) -> None:
    match = _match_of(unit, timer)
    if match and not match.has_ended:
        invite_both(unit, match, Stage.REVIEW)


def invite_to_follow_up(unit: Unit[Tools], timer: Timer) -> None:
    """Says nothing if the client has begun anew with another therapist: that work has forms of its own."""
    match = _match_of(unit, timer)
    if match and store.matches_of(unit.session, match.referral_id)[-1] is match:
        invite_both(unit, match, Stage.FOLLOW_UP)


def _take_back(unit: Unit[Tools], match: Match) -> None:
    for invitation in store.open_invitations(unit.session, match.referral_id):
        if invitation.match_id == match.match_id:
            invitation.cancel(at=unit.now)


def _match_of(unit: Unit[Tools], timer: Timer) -> Match | None:
    return store.find_match(unit.session, MatchId(UUID(timer.key)))
