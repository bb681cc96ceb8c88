"""What billing does when matching says something of a therapist or a match."""

from __future__ import annotations

from chassis.ports import NotYet
from contracts.events.matching import MatchEnded, TherapistAdmitted, TherapistMatched
from contracts.vocabulary import MatchEndReason, SubsidyReleaseReason, TherapistId
from services.billing import store
from services.billing.domain import fees
from services.billing.handlers import books, memberships, subsidies
from services.billing.handlers.books import BillingUnit
from services.billing.handlers.referrals import expect_referral
from services.billing.tables import Match, Therapist


def open_account(unit: BillingUnit, event: TherapistAdmitted) -> None:
    """A therapist was admitted. Nothing is due before their first referral."""
    _know_therapist(unit, event.therapist_id)


def charge_match(unit: BillingUnit, event: TherapistMatched) -> None:
    """A therapist accepted a referral: the first begins their membership, each is charged, the award fits their fee.

    A referral that had been taken back or sent elsewhere costs nothing.
    """
    if store.find_match(unit.session, event.match_id):
        return
    referral = expect_referral(unit, event.referral_id)
    _know_therapist(unit, event.therapist_id)
    match = _match_of(event)
    store.add(unit.session, match)
    if not fees.is_charged(ending=referral.ending):
        return
    memberships.begin_at_first_match(unit, match)
    books.charge_referral_fee(unit, match)
    if referral.ending and fees.is_credited_by_ending(ending=referral.ending, sessions_attended=0):
        books.credit_referral_fee(unit, match)
    subsidies.fit_award_to_fee(unit, referral, match)


def end_match(unit: BillingUnit, event: MatchEnded) -> None:
    """Client and therapist no longer work together. A client who was unhappy keeps the award for the next therapist."""
    match = store.find_match(unit.session, event.match_id)
    if match is None:
        raise NotYet(f"match {event.match_id} has not been heard of here")
    if match.end_reason is not None:
        return
    match.end_reason = event.reason
    attended = store.sessions_attended(unit.session, match.id)
    if fees.is_credited_by_match_end(reason=event.reason, sessions_attended=attended):
        books.credit_referral_fee(unit, match)
    if not fees.keeps_award(reason=event.reason):
        subsidies.end_award_of(unit, match.referral_id, _release_reason(event.reason))


def _release_reason(reason: MatchEndReason) -> SubsidyReleaseReason:
    # Intake and matching both tell of a withdrawal; whichever is heard first, the reason is the same.
    withdrawn = reason is MatchEndReason.WITHDRAWN
    return SubsidyReleaseReason.WITHDRAWN if withdrawn else SubsidyReleaseReason.MATCH_ENDED


def _know_therapist(unit: BillingUnit, therapist_id: TherapistId) -> None:
    if store.find_therapist(unit.session, therapist_id) is None:
        store.add(unit.session, Therapist(id=therapist_id, known_since=unit.now))


def _match_of(event: TherapistMatched) -> Match:
    return Match(
        id=event.match_id,
        referral_id=event.referral_id,
        therapist_id=event.therapist_id,
        matched_at=event.matched_at,
        session_fee_pence=event.session_fee_pence,
    )
