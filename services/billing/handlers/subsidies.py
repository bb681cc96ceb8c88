"""Deciding, lowering, ending and waiting for subsidies."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from chassis.ports import Timer
from contracts.events.billing import SubsidyApproved, SubsidyDeclined, SubsidyReleased, SubsidyWaitlisted
from contracts.vocabulary import AwardId, MatchId, ReferralId, SubsidyDeclineReason, SubsidyReleaseReason
from services.billing import store
from services.billing.domain import ledger
from services.billing.domain.awards import Award, NoFundCanPay, NothingNeeded, Request, choose, need_per_session
from services.billing.domain.days import day_of
from services.billing.domain.funds import Fund
from services.billing.handlers.books import BillingUnit, post
from services.billing.tables import Match, Referral, WaitingPlace

SERVE_WAITING_LIST, START_FUND = "serve_waiting_list", "start_fund"
MONEY_COMES = (SERVE_WAITING_LIST, START_FUND)
EVERYBODY = "everybody"
PLACES_AT_ONCE = 200
"""How much of the waiting list one unit of work serves, so that it holds the funds' locks for a moment only."""


def decide(unit: BillingUnit, referral: Referral) -> None:
    """Decides a subsidy once it is asked for and assessed: an award, or a place on the waiting list."""
    if not referral.asks_for_subsidy or _is_decided(unit, referral):
        return
    place = WaitingPlace(referral_id=referral.id, asked_at=referral.received_at)
    # If money has just come it is for those who asked before; this one is served after them.
    after_others = store.is_any_due(unit.session, MONEY_COMES, at=unit.now)
    if after_others or not _is_served(unit, place, store.open_funds(unit.session, on=day_of(unit.now))):
        store.add(unit.session, place)


def serve_waiting_list(unit: BillingUnit, timer: Timer) -> None:
    """Money has come: serves everybody on the waiting list in the order in which they asked, a part at a time."""
    funds = store.open_funds(unit.session, on=day_of(unit.now))
    places = store.places_after(unit.session, _position(timer), limit=PLACES_AT_ONCE)
    for place in places:
        if _is_served(unit, place, funds):
            unit.session.delete(place)
    if len(places) == PLACES_AT_ONCE:
        position = {"asked_at": places[-1].asked_at.isoformat(), "referral_id": str(places[-1].referral_id)}
        unit.set_timer(SERVE_WAITING_LIST, EVERYBODY, unit.now, position)


def money_has_come(unit: BillingUnit) -> None:
    """Has the waiting list served, once, however often money comes in this moment."""
    unit.set_timer(SERVE_WAITING_LIST, EVERYBODY, unit.now)


def wait_again(unit: BillingUnit, referral: Referral) -> None:
    """Puts back on the waiting list, where they stood before, somebody whose award ended through no act of theirs."""
    if referral.asks_for_subsidy and store.find_place(unit.session, referral.id) is None:
        store.add(unit.session, WaitingPlace(referral_id=referral.id, asked_at=referral.received_at))
        money_has_come(unit)


def leave_waiting_list(unit: BillingUnit, referral_id: ReferralId) -> None:
    if place := store.find_place(unit.session, referral_id):
        unit.session.delete(place)


def fit_award_to_fee(unit: BillingUnit, referral: Referral, match: Match) -> None:
    """Releases what the therapist's own fee doesn't need of the award."""
    award = store.find_held_award(unit.session, referral.id)
    if award is None:
        return
    fund = store.get_fund(unit.session, award.fund_id)
    need = need_per_session(session_fee_pence=match.session_fee_pence, fee_ceiling_pence=referral.fee_ceiling_pence)
    released = award.lower_to(fund=fund, pence_per_session=need)
    _release(unit, award, released, SubsidyReleaseReason.FEE_LOWER_THAN_AWARDED, cause_id=match.id)


def end_award_of(unit: BillingUnit, referral_id: ReferralId, reason: SubsidyReleaseReason) -> None:
    """Releases what is left of the referral's award, if it has one."""
    if award := store.find_held_award(unit.session, referral_id):
        end_award(unit, award, store.get_fund(unit.session, award.fund_id), reason)


def end_award(unit: BillingUnit, award: Award, fund: Fund, reason: SubsidyReleaseReason) -> None:
    _release(unit, award, award.end(fund=fund), reason, cause_id=award.id)


def _is_decided(unit: BillingUnit, referral: Referral) -> bool:
    waiting, awarded = store.find_place, store.find_latest_award
    return bool(waiting(unit.session, referral.id) or awarded(unit.session, referral.id))


def _is_served(unit: BillingUnit, place: WaitingPlace, funds: Iterable[Fund]) -> bool:
    """Decides for whoever has this place. False if they must go on waiting."""
    referral = store.get_referral(unit.session, place.referral_id)
    try:
        _approve(unit, referral, funds)
    except NoFundCanPay as refusal:
        if place.reason is not refusal.reason:
            place.reason = refusal.reason
            unit.emit(SubsidyWaitlisted(referral_id=referral.id, reason=refusal.reason))
        return False
    except NothingNeeded:
        declined = SubsidyDeclined(referral_id=referral.id, reason=SubsidyDeclineReason.WITHIN_MEANS)
        unit.emit(declined)
    return True


def _approve(unit: BillingUnit, referral: Referral, funds: Iterable[Fund]) -> None:
    request = _request(unit, referral)
    grant = choose(request=request, funds=funds, policy=unit.tools.awards, on=day_of(unit.now))
    award = grant.commit(award_id=AwardId(unit.new_id()), referral_id=referral.id, at=unit.now)
    store.add(unit.session, award)
    post(unit, ledger.subsidy_committed(award_id=award.id, fund_id=award.fund_id, pence=award.committed_pence))
    unit.emit(
        SubsidyApproved(
            award_id=award.id,
            referral_id=referral.id,
            fund_id=award.fund_id,
            pence_per_session=award.pence_per_session,
            sessions=award.sessions,
            committed_pence=award.committed_pence,
            approved_at=award.approved_at,
        )
    )


def _request(unit: BillingUnit, referral: Referral) -> Request:
    match = store.find_current_match(unit.session, referral.id)
    return Request(
        client_group=referral.client_group,
        place=referral.place,
        fee_ceiling_pence=referral.fee_ceiling_pence,
        session_fee_pence=match.session_fee_pence if match else None,
        received_pence=store.received_by(unit.session, referral.id),
    )


def _release(
    unit: BillingUnit, award: Award, pence: int, reason: SubsidyReleaseReason, *, cause_id: AwardId | MatchId
) -> None:
    if not pence:
        return
    post(unit, ledger.subsidy_released(cause_id=cause_id, fund_id=award.fund_id, pence=pence))
    unit.emit(
        SubsidyReleased(
            award_id=award.id,
            referral_id=award.referral_id,
            fund_id=award.fund_id,
            released_pence=pence,
            reason=reason,
        )
    )
    money_has_come(unit)


def _position(timer: Timer) -> tuple[datetime, ReferralId] | None:
    if "asked_at" not in timer.data:
        return None
    return datetime.fromisoformat(timer.data["asked_at"]), ReferralId(UUID(timer.data["referral_id"]))
