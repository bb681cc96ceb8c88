"""Decides subsidies: when one is asked for, and again when money comes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from contracts.events.billing import SubsidyApproved, SubsidyDeclined, SubsidyWaitlisted
from contracts.vocabulary import AwardId, ReferralId, SubsidyDeclineReason
from services.billing.application import award_lifecycle
from services.billing.application.books import post
from services.billing.application.waiting_list import (
    EVERYBODY,
    MONEY_COMES,
    SERVE_WAITING_LIST,
)
from services.billing.dependencies import BillingUnit
from services.billing.domain import ledger
from services.billing.domain.awards import Award, AwardState, NoFundCanPay, NothingNeeded, Request, choose
from services.billing.domain.days import day_of
from services.billing.domain.funds import Fund
from services.billing.domain.matches import Match
from services.billing.domain.referrals import Referral
from services.billing.domain.waiting_list import WaitingListEntry
from services.billing.store import attended_sessions, awards, funds, matches, referrals, rows, waiting_list

ENTRIES_AT_ONCE = 200
"""How much of the waiting list one unit of work serves, so that it holds the funds' locks for a moment only."""


def decide(unit: BillingUnit, referral: Referral) -> None:
    """Decides a subsidy once it is asked for and assessed: an award, or an entry on the waiting list."""
    if not referral.asks_for_subsidy or _is_decided(unit, referral):
        return
    entry = WaitingListEntry(referral_id=referral.id, asked_at=referral.received_at)
    # If money has just come it is for those who asked before; this one is served after them.
    after_others = waiting_list.is_any_due(unit.session, MONEY_COMES, at=unit.now)
    if after_others or not _is_served(unit, entry, funds.open_funds(unit.session, on=day_of(unit.now))):
        rows.add(unit.session, entry)


def serve_waiting_list(unit: BillingUnit, after: tuple[datetime, ReferralId] | None) -> None:
    """Money has come: serves everybody on the waiting list in the order in which they asked, a part at a time.

    `after` is the last entry that was served, None for the first part.
    """
    open_funds = funds.open_funds(unit.session, on=day_of(unit.now))
    entries = waiting_list.entries_after(unit.session, after, limit=ENTRIES_AT_ONCE)
    for entry in entries:
        if _is_served(unit, entry, open_funds):
            unit.session.delete(entry)
    if len(entries) == ENTRIES_AT_ONCE:
        position = {"asked_at": entries[-1].asked_at.isoformat(), "referral_id": str(entries[-1].referral_id)}
        unit.set_timer(SERVE_WAITING_LIST, EVERYBODY, unit.now, position)


def _is_decided(unit: BillingUnit, referral: Referral) -> bool:
    waiting, awarded = waiting_list.find_entry, awards.find_latest_award
    return bool(waiting(unit.session, referral.id) or awarded(unit.session, referral.id))


def _is_served(unit: BillingUnit, entry: WaitingListEntry, open_funds: Iterable[Fund]) -> bool:
    """Decides about this entry's referral. False if it must go on waiting."""
    referral = referrals.get_referral(unit.session, entry.referral_id)
    match = matches.find_current_match(unit.session, referral.id)
    match_id = match.id if match else None
    try:
        _approve(unit, entry, referral, match, open_funds)
    except NoFundCanPay as refusal:
        if entry.reason is not refusal.reason:
            entry.reason = refusal.reason
            unit.emit(SubsidyWaitlisted(referral_id=referral.id, reason=refusal.reason, match_id=match_id))
        return False
    except NothingNeeded:
        reason = SubsidyDeclineReason.WITHIN_MEANS
        unit.emit(SubsidyDeclined(referral_id=referral.id, reason=reason, match_id=match_id))
    return True


def _approve(
    unit: BillingUnit, entry: WaitingListEntry, referral: Referral, match: Match | None, open_funds: Iterable[Fund]
) -> None:
    used_up = _used_up(unit, referral)
    request = _request(unit, entry, referral, match, is_further=used_up is not None)
    grant = choose(request=request, funds=open_funds, policy=unit.dependencies.awards, on=day_of(unit.now))
    award = grant.commit(
        award_id=AwardId(unit.new_id()),
        referral_id=referral.id,
        at=unit.now,
        starts_on=_day_after(unit, used_up) if used_up else _where_it_ended(unit, referral, match),
    )
    rows.add(unit.session, award)
    post(unit, ledger.subsidy_committed(cause_id=award.id, fund_id=award.fund_id, pence=award.committed_pence))
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
    award_lifecycle.schedule_release_if_unbegun(unit, award)
    if match:
        award_lifecycle.emit_assignment(unit, award, grant.fund, match)


def _used_up(unit: BillingUnit, referral: Referral) -> Award | None:
    """The referral's latest award if all its sessions are used, so that another one would follow it."""
    latest = awards.find_latest_award(unit.session, referral.id)
    return latest if latest and latest.state is AwardState.USED else None


def _day_after(unit: BillingUnit, award: Award) -> date | None:
    """The next award begins where this one ended, so that sessions that were reported together are paid alike."""
    last = attended_sessions.last_session_of(unit.session, award.id)
    return last + timedelta(days=1) if last else None


def _where_it_ended(unit: BillingUnit, referral: Referral, match: Match | None) -> date | None:
    """In a therapy that goes on, the day after an award's last: so no session falls between it and the next."""
    latest = awards.find_latest_award(unit.session, referral.id) if match else None
    ended = latest is not None and latest.state is AwardState.ENDED
    return latest.pays_until + timedelta(days=1) if latest and ended and latest.pays_until else None


def _request(
    unit: BillingUnit, entry: WaitingListEntry, referral: Referral, match: Match | None, *, is_further: bool
) -> Request:
    person = referrals.same_person(unit.session, referral.id)
    return Request(
        client_group=referral.client_group,
        area=referral.area,
        fee_ceiling_pence=referral.fee_ceiling_pence,
        session_fee_pence=match.session_fee_pence if match else None,
        received_pence=awards.received_by(unit.session, person),
        least_fee_pence=referral.least_fee_pence,
        is_further=is_further,
        is_allowed=entry.allowed_by is not None,
    )
