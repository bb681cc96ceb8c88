"""What billing does when matching says something of a therapist or a match."""

from __future__ import annotations

from chassis.ports import NotYet
from contracts.events.matching import (
    MatchEnded,
    MatchEndUndone,
    MatchingStalled,
    TherapistAdmitted,
    TherapistFeeChanged,
    TherapistMatched,
)
from contracts.vocabulary import MatchEndReason, StallReason, SubsidyReleaseReason, TherapistId
from services.billing.application import attendance, award_lifecycle, memberships, referral_fees
from services.billing.application.lookup import expect_match, expect_referral
from services.billing.dependencies import BillingUnit
from services.billing.domain import fees
from services.billing.domain.days import day_of
from services.billing.domain.matches import Match
from services.billing.domain.therapists import Therapist
from services.billing.store import awards, matches, rows, therapists


def open_account(unit: BillingUnit, event: TherapistAdmitted) -> None:
    """A therapist was admitted. Nothing is due before their first referral; a fee that fits somebody is worth a try."""
    _open_account(unit, event.therapist_id)
    if event.session_fee_pence is not None:
        award_lifecycle.retry_with_fee(unit, session_fee_pence=event.session_fee_pence)


def note_changed_fee(unit: BillingUnit, event: TherapistFeeChanged) -> None:
    """A therapist asks for another fee from now on, which may fit somebody. What was agreed with a match stays."""
    award_lifecycle.retry_with_fee(unit, session_fee_pence=event.session_fee_pence)


def charge_match(unit: BillingUnit, event: TherapistMatched) -> None:
    """A therapist accepted a referral: the first begins their membership, each is charged, the award fits their fee.

    A referral that had been taken back or sent elsewhere before that costs nothing.
    """
    if matches.find_match(unit.session, event.match_id):
        return
    referral = expect_referral(unit, event.referral_id)
    _open_account(unit, event.therapist_id)
    match = _match_of(event)
    rows.add(unit.session, match)
    if fees.had_gone(ending=referral.ending, ended_at=referral.ended_at, matched_at=match.matched_at):
        return
    memberships.begin_at_first_match(unit, match)
    referral_fees.charge_referral_fee(unit, match)
    if referral.ending:
        referral_fees.settle_referral_fee(unit, referral, match)
    attendance.schedule_question(unit, match)
    award_lifecycle.fit_to_fee(unit, referral, match)


def end_match(unit: BillingUnit, event: MatchEnded) -> None:
    """Client and therapist no longer work together. A client who was unhappy keeps the award for the next therapist."""
    match = expect_match(unit, event.match_id)
    referral = expect_referral(unit, match.referral_id)
    # The award before the match, as a session reported at this moment locks them, so that neither waits for the other.
    awards.find_held_award(unit.session, match.referral_id)
    if not match.end(reason=event.reason, at=event.ended_at):
        return
    referral_fees.settle_referral_fee(unit, referral, match)
    attendance.ask_after_end(unit, match)
    if not fees.keeps_award(reason=event.reason):
        award_lifecycle.close_award_of(unit, referral, _release_reason(event.reason), pays_until=day_of(event.ended_at))
    elif not awards.find_held_award(unit.session, referral.id):
        award_lifecycle.reconsider_need(unit, referral)


def undo_match_end(unit: BillingUnit, event: MatchEndUndone) -> None:
    """The end was a mistake: the fee, the award and the question whether they met are as they were before it."""
    match = expect_match(unit, event.match_id)
    if match.end_reason is None and match.ended_at is None:
        raise NotYet(f"that match {event.match_id} ended has not been heard of here")
    referral = expect_referral(unit, match.referral_id)
    awards.find_held_award(unit.session, match.referral_id)  # locked before the match, as above
    if not match.undo_end(at=event.undone_at):
        return
    referral_fees.settle_referral_fee(unit, referral, match, goes_on=True)
    attendance.schedule_question(unit, match)
    if awards.find_latest_award(unit.session, referral.id):
        award_lifecycle.resume(unit, referral)


def note_stall(unit: BillingUnit, event: MatchingStalled) -> None:
    """No therapist within reach costs as little as client and award can pay together: the award is released."""
    if event.reason is StallReason.NOBODY_AFFORDABLE:
        award_lifecycle.release_for_nobody_affordable(unit, expect_referral(unit, event.referral_id), event)


def _release_reason(reason: MatchEndReason) -> SubsidyReleaseReason:
    # Intake and matching both tell of a withdrawal; whichever is heard first, the reason is the same.
    withdrawn = reason is MatchEndReason.WITHDRAWN
    return SubsidyReleaseReason.WITHDRAWN if withdrawn else SubsidyReleaseReason.MATCH_ENDED


def _open_account(unit: BillingUnit, therapist_id: TherapistId) -> None:
    if therapists.find_therapist(unit.session, therapist_id) is None:
        rows.add(unit.session, Therapist(id=therapist_id, known_since=unit.now))


def _match_of(event: TherapistMatched) -> Match:
    return Match(
        id=event.match_id,
        referral_id=event.referral_id,
        therapist_id=event.therapist_id,
        matched_at=event.matched_at,
        session_fee_pence=event.session_fee_pence,
    )
