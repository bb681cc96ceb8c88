"""Awards of a subsidy: which fund pays for a referral, how much, and what becomes of it.

An award commits money, sessions draw it down, what is unused is released.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from contracts.vocabulary import AwardId, ClientGroup, FundId, FundPurpose, ReferralId, SubsidyWaitReason
from services.billing.domain.days import day_of
from services.billing.domain.funds import AreaToBeConfirmed, ClientCapReached, Fund, FundRefused, NoMoney, Place
from services.billing.domain.refusal import RuleBroken, pounds


class AwardRefused(RuleBroken):
    """An award that can't be used for this."""


class AwardOver(AwardRefused):
    """Its sessions are used, or what was left has been released."""


class NothingNeeded(AwardRefused):
    """The client can pay the session fee, as far as subsidies go."""


class NoFundCanPay(AwardRefused):
    """No fund may or can pay now; `reason` says what would have to change."""

    def __init__(self, reason: SubsidyWaitReason) -> None:
        super().__init__(f"No fund can pay now: {reason}.")
        self.reason = reason


class AwardState(StrEnum):
    HELD = "held"
    """Money is committed to sessions to come."""
    USED = "used"
    """Every session has been drawn down."""
    ENDED = "ended"
    """What was left has been released."""


@dataclass(frozen=True, kw_only=True)
class AwardPolicy:
    """What the charity decided for every award."""

    highest_session_fee_pence: int
    sessions_per_award: int


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a referral asks for. `session_fee_pence` is known once a therapist has accepted.

    `received_pence` is what earlier awards of each fund have paid for this client already.
    """

    client_group: ClientGroup
    place: Place = field(default_factory=Place)
    fee_ceiling_pence: int | None = None
    session_fee_pence: int | None = None
    received_pence: Mapping[FundId, int] = field(default_factory=dict)


@dataclass(kw_only=True, eq=False)
class Award:
    """What a fund has promised for one referral. What was committed is held, drawn or released."""

    id: AwardId
    referral_id: ReferralId
    fund_id: FundId
    pence_per_session: int
    sessions: int
    committed_pence: int
    approved_at: datetime
    sessions_used: int = 0
    drawn_pence: int = 0
    released_pence: int = 0
    state: AwardState = AwardState.HELD

    @property
    def held_pence(self) -> int:
        """What is committed to sessions still to come."""
        return self.committed_pence - self.drawn_pence - self.released_pence

    @property
    def sessions_left(self) -> int:
        return self.sessions - self.sessions_used if self.state is AwardState.HELD else 0

    def draw_down(self, *, fund: Fund, on: date) -> int:
        """Pays for a session attended on that day; the pence. Raises AwardOver or the fund's NotOpen."""
        if self.state is not AwardState.HELD:
            raise AwardOver(f"This award is {self.state}: nothing of it is left for another session.")
        pence = self.pence_per_session
        fund.draw_down(pence=pence, on=on)
        self.drawn_pence += pence
        self.sessions_used += 1
        if not self.sessions_left:
            self.state = AwardState.USED
        return pence

    def lower_to(self, *, fund: Fund, pence_per_session: int) -> int:
        """Promises less for each session still to come; the pence that are released, 0 if it is not less."""
        if self.state is not AwardState.HELD or pence_per_session >= self.pence_per_session:
            return 0
        if pence_per_session == 0:
            return self.end(fund=fund)
        released = (self.pence_per_session - pence_per_session) * self.sessions_left
        fund.release(pence=released)
        self.pence_per_session = pence_per_session
        self.released_pence += released
        return released

    def end(self, *, fund: Fund) -> int:
        """Releases all that is left; the pence, 0 if there is nothing."""
        if self.state is not AwardState.HELD:
            return 0
        released = self.held_pence
        fund.release(pence=released, award_untouched=self.drawn_pence == 0)
        self.released_pence += released
        self.state = AwardState.ENDED
        return released


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A fund that can pay, and what it would pay."""

    fund: Fund
    pence_per_session: int
    sessions: int

    @property
    def pence(self) -> int:
        return self.pence_per_session * self.sessions

    def commit(self, *, award_id: AwardId, referral_id: ReferralId, at: datetime) -> Award:
        """The award, its money promised by the fund. Raises what `Fund.commit` raises."""
        self.fund.commit(pence=self.pence, on=day_of(at))
        return Award(
            id=award_id,
            referral_id=referral_id,
            fund_id=self.fund.id,
            pence_per_session=self.pence_per_session,
            sessions=self.sessions,
            committed_pence=self.pence,
            approved_at=at,
        )


def need_per_session(*, session_fee_pence: int, fee_ceiling_pence: int | None) -> int:
    """What the client lacks of a session's fee; all of it when they didn't say what they can pay."""
    return max(0, session_fee_pence - (fee_ceiling_pence or 0))


def choose(*, request: Request, funds: Iterable[Fund], policy: AwardPolicy, on: date) -> Grant:
    """The grant for a referral, of the eligible fund that can do the least else with its money.

    Funds restricted to an area go first, then those that end earliest, then by identifier, so that what can only be
    spent here and now is. Raises NothingNeeded or NoFundCanPay.
    """
    _need(request, policy)  # before any fund is asked: who lacks nothing is declined even when there is no fund
    refusals: list[FundRefused] = []
    for fund in sorted(funds, key=_preference):
        try:
            return grant_from(fund, request=request, policy=policy, on=on)
        except FundRefused as refusal:
            refusals.append(refusal)
    raise NoFundCanPay(_wait_reason(refusals))


def grant_from(fund: Fund, *, request: Request, policy: AwardPolicy, on: date) -> Grant:
    """What one fund would pay.

    Raises NothingNeeded, or the FundRefused that stands in the way: AreaToBeConfirmed only if nothing else does.
    """
    need = _need(request, policy)
    pence = need if fund.session_cap_pence is None else min(need, fund.session_cap_pence)
    fund.terms_for(FundPurpose.THERAPY)
    fund.check_open(on=on)
    to_be_confirmed: AreaToBeConfirmed | None = None
    try:
        fund.check_person(purpose=FundPurpose.THERAPY, client_group=request.client_group, place=request.place)
    except AreaToBeConfirmed as refusal:
        to_be_confirmed = refusal
    sessions = _sessions(fund, pence, request, policy)
    if to_be_confirmed:
        raise to_be_confirmed
    return Grant(fund=fund, pence_per_session=pence, sessions=sessions)


def _need(request: Request, policy: AwardPolicy) -> int:
    """What a session lacks, in pence; the highest fee that is subsidised stands in for one not known yet."""
    fee = policy.highest_session_fee_pence
    if request.session_fee_pence is not None:
        fee = min(fee, request.session_fee_pence)
    need = need_per_session(session_fee_pence=fee, fee_ceiling_pence=request.fee_ceiling_pence)
    if need == 0:
        raise NothingNeeded(f"The client can pay a session's fee up to {pounds(fee)}.")
    return need


def _sessions(fund: Fund, pence: int, request: Request, policy: AwardPolicy) -> int:
    sessions = min(policy.sessions_per_award, fund.sessions_per_award or policy.sessions_per_award)
    if fund.client_cap_pence is not None:
        sessions = min(sessions, (fund.client_cap_pence - request.received_pence.get(fund.id, 0)) // pence)
    if sessions < 1:
        raise ClientCapReached(f"{fund.name} has paid all it may for this client.")
    fund.check_awards_left()
    affordable = fund.available_pence // pence
    if affordable < 1:
        raise NoMoney(f"{fund.name} has {pounds(fund.available_pence)} available, less than a session's part.")
    return min(sessions, affordable)


def _preference(fund: Fund) -> tuple[bool, date, FundId]:
    restricted = any(terms.is_area_restricted for terms in fund.terms if terms.purpose is FundPurpose.THERAPY)
    return not restricted, fund.ends_on, fund.id


def _wait_reason(refusals: list[FundRefused]) -> SubsidyWaitReason:
    if any(isinstance(refusal, AreaToBeConfirmed) for refusal in refusals):
        return SubsidyWaitReason.AREA_TO_BE_CONFIRMED
    if any(isinstance(refusal, NoMoney) for refusal in refusals):
        return SubsidyWaitReason.NO_MONEY
    return SubsidyWaitReason.NO_ELIGIBLE_FUND
