"""What matching does when a therapist's membership changes, or a therapist answers by one of our pages."""

from __future__ import annotations

import structlog

from chassis.ports import Invalid, Refused, UnitOfWork
from chassis.privacy.one_time_links import hash_of
from chassis.privacy.opening import open_or_park
from contracts.events.billing import (
    MembershipLapsed,
    MembershipRenewed,
)
from contracts.events.notifications import TherapyReportAccepted
from contracts.events.web import OfferAnswered
from contracts.sealed import OfferAnswer
from contracts.vocabulary import (
    MatchEndReason,
    SuspensionReason,
    TherapyReport,
)
from services.matching.application import answers, parting
from services.matching.application.availability import reinstate, suspend
from services.matching.application.lookup import expect_therapist
from services.matching.dependencies import Dependencies
from services.matching.domain.offer import Offer, OfferState
from services.matching.store import matches, offers

log = structlog.get_logger()


def suspend_lapsed(unit: UnitOfWork[Dependencies], event: MembershipLapsed) -> None:
    therapist = expect_therapist(unit, event.therapist_id)
    if therapist.advance_membership(unit.sequence):
        suspend(unit, therapist, SuspensionReason.MEMBERSHIP_LAPSED)


def reinstate_renewed(unit: UnitOfWork[Dependencies], event: MembershipRenewed) -> None:
    therapist = expect_therapist(unit, event.therapist_id)
    if therapist.advance_membership(unit.sequence):
        reinstate(unit, therapist, SuspensionReason.MEMBERSHIP_LAPSED)


def take_answer(unit: UnitOfWork[Dependencies], event: OfferAnswered) -> None:
    """Accepts or declines for the therapist whose link it is; does nothing if the offer is no longer open.

    Raises Invalid for what can't be opened, or belongs to no offer.
    """
    answer = open_or_park(unit.dependencies.keyring, OfferAnswer, event.sealed)
    offer = offers.find_offer_by_token(unit.session, hash_of(answer.token))
    if offer is None:
        raise Invalid("the answer belongs to no offer")
    if offer.state_at(unit.now) is not OfferState.OPEN:
        return  # the page says what became of it
    try:
        _answer(unit, offer, answer)
    except Refused as refusal:
        log.warning("offer_answer_refused", offer_id=str(offer.id), why=refusal.name)


def take_therapy_report(unit: UnitOfWork[Dependencies], event: TherapyReportAccepted) -> None:
    """A therapist reports that therapy has ended: recorded as if the office had entered it. The rest is billing's.

    Raises Invalid for an unknown match, and for a withdrawal, which is the client's to say.
    """
    if event.what is not TherapyReport.ENDED or event.reason is None:
        return
    if event.reason is MatchEndReason.WITHDRAWN:
        raise Invalid("a therapist doesn't withdraw a client")
    match = matches.find_match(unit.session, event.match_id)
    if match is None:
        raise Invalid("the report belongs to no match")
    if match.advance_report(at=event.reported_at):
        parting.part(unit, match, event.reason)


def _answer(unit: UnitOfWork[Dependencies], offer: Offer, answer: OfferAnswer) -> None:
    """Raises Refused."""
    if answer.accepted:
        answers.accept(unit, offer.id, offer.therapist_id)
    elif answer.reason is None:
        raise Invalid("an offer is declined with a reason")
    else:
        answers.decline(unit, offer.id, offer.therapist_id, answer.reason, away_until=answer.until)
