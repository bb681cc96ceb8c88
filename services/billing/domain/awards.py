"""Awards of a subsidy: which fund pays for a referral, how much, and what becomes of it.

An award commits money, sessions draw it down, what is unused is released.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from contracts.refused import Refused
from contracts.vocabulary import AwardId, ClientGroup, FundId, FundPurpose, ReferralId, SubsidyWaitReason
from services.billing.domain.amounts import pounds
from services.billing.domain.days import day_of
from services.billing.domain.funds import (
    Area,
    AreaToBeConfirmed,
    ClientCapReached,
    FitsNoTherapist,
    Fund,
    FundRefused,
    NeedsAPerson,
    NoMoney,
)


class AwardRefused(Refused):
    """An award that can't be used for this."""


class AwardOver(AwardRefused):
    """Its sessions are used, or it pays for none of that day any more."""


class SessionBeforeAward(AwardRefused):
    """A session of before the award, which it doesn't pay."""


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
    CLOSING = "closing"
    """No session is to come; the money stays reserved for those that took place and have still to be reported."""
    USED = "used"
    """Every session has been drawn down."""
    ENDED = "ended"
    """What was left has been released."""


@dataclass(frozen=True, kw_only=True)
class AwardPolicy:
    """What the charity decided for every award."""

    highest_session_fee_pence: int
    sessions_per_award: int
    late_session_days: int
    """How long after a fund's end, or the end of a therapy, money stays reserved for sessions still to be reported."""
    begin_within_days: int
    """How long an award waits for its first session."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a referral asks for. `session_fee_pence` is known once a therapist has accepted.

    `received_pence` is what each fund has paid or promised to this person already, on whichever referral.
    `least_fee_pence` is what a session costs at least with those who suit, where less was tried in vain. `is_further`:
    an award was used up before this; `is_allowed`: a person decided that another may follow.
    """

    client_group: ClientGroup
    area: Area = field(default_factory=Area)
    fee_ceiling_pence: int | None = None
    session_fee_pence: int | None = None
    received_pence: Mapping[FundId, int] = field(default_factory=dict)
    least_fee_pence: int | None = None
    is_further: bool = False
    is_allowed: bool = False


@dataclass(kw_only=True, eq=False)
class Award:
    """What a fund has promised for one referral. What was committed is held, drawn or released.

    It pays sessions from `starts_on` to `pays_until`, both of which count; without that, to the fund's last day.
    `new_person`: whether it counts towards the number of people that the fund was given for.
    """

    id: AwardId
    referral_id: ReferralId
    fund_id: FundId
    pence_per_session: int
    sessions: int
    committed_pence: int
    approved_at: datetime
    starts_on: date
    new_person: bool = True
    sessions_used: int = 0
    drawn_pence: int = 0
    released_pence: int = 0
    state: AwardState = AwardState.HELD
    pays_until: date | None = None

    @property
    def holds_money(self) -> bool:
        return self.state in (AwardState.HELD, AwardState.CLOSING)

    @property
    def held_pence(self) -> int:
        """What is committed to sessions still to come or to be reported."""
        return self.committed_pence - self.drawn_pence - self.released_pence

    @property
    def sessions_left(self) -> int:
        return self.sessions - self.sessions_used if self.holds_money else 0

    def covers(self, day: date) -> bool:
        """Whether a session of that day is within the award's dates."""
        return self.starts_on <= day and (self.pays_until is None or day <= self.pays_until)

    def draw_down(self, *, fund: Fund, on: date, reported_on: date, late_days: int) -> Drawdown:
        """Pays for a session attended on `on`, whenever that is reported.

        What was reserved for it and has gone back to the fund is committed anew, if the fund has it. Raises
        SessionBeforeAward, AwardOver, or the fund's NotOpen, ReportedTooLate or NoMoney.
        """
        self._check_day(on)
        fund.check_open(on=on)
        fund.check_reported(on=reported_on, within_days=late_days)
        pence = self.pence_per_session
        committed = 0 if self.holds_money else self._commit_again(fund=fund, on=on)
        fund.draw_down(pence=pence, on=on)
        self.drawn_pence += pence
        self.sessions_used += 1
        if self.holds_money and not self.sessions_left:
            self.state = AwardState.USED
        return Drawdown(pence=pence, committed_pence=committed)

    def undo_draw_down(self, *, fund: Fund, pence: int, goes_on: bool) -> int:
        """Takes a session back that had cost `pence`; the pence that go back to the fund.

        What the award still needs for its sessions it keeps. `goes_on`: whether one that was used up may pay again.
        """
        fund.undo_draw_down(pence=pence)
        self.drawn_pence -= pence
        self.sessions_used -= 1
        if self.state is AwardState.USED:
            self.state = AwardState.HELD if goes_on else AwardState.ENDED
        released = pence - self.pence_per_session if self.holds_money else pence
        if released:
            self._release(fund, released)
        return released

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

    def close(self, *, pays_until: date) -> None:
        """No session after that day is paid; the money stays reserved for those that are still to be reported."""
        if self.state is AwardState.HELD:
            self.state, self.pays_until = AwardState.CLOSING, pays_until

    def resume(self) -> None:
        """Sessions are to come after all: what stayed reserved is for them too."""
        if self.state is AwardState.CLOSING:
            self.state, self.pays_until = AwardState.HELD, None

    def end(self, *, fund: Fund, pays_until: date | None = None) -> int:
        """Releases all that is left; the pence, 0 if there is nothing.

        A session until `pays_until` may still be paid, as long as the fund has money.
        """
        if not self.holds_money:
            return 0
        self.pays_until = self.pays_until or pays_until
        self.state = AwardState.ENDED
        released = self.held_pence
        self._release(fund, released)
        return released

    def _check_day(self, on: date) -> None:
        if on < self.starts_on:
            raise SessionBeforeAward(f"This award pays sessions from {self.starts_on}; record that of {on} without it.")
        ended_for_good = self.state is AwardState.ENDED and self.pays_until is None
        if self.state is AwardState.USED or ended_for_good or not self.covers(on):
            raise AwardOver(f"This award is {self.state}: nothing of it is left for a session of {on}.")

    def _commit_again(self, *, fund: Fund, on: date) -> int:
        fund.commit(pence=self.pence_per_session, on=on, new_person=self.new_person and self.drawn_pence == 0)
        self.committed_pence += self.pence_per_session
        return self.pence_per_session

    def _release(self, fund: Fund, pence: int) -> None:
        untouched = self.state is AwardState.ENDED and self.drawn_pence == 0
        fund.release(pence=pence, returns_award=untouched and self.new_person)
        self.released_pence += pence


@dataclass(frozen=True, kw_only=True)
class Drawdown:
    """What a session cost, and how much of it had to be committed anew."""

    pence: int
    committed_pence: int


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A fund that can pay, and what it would pay."""

    fund: Fund
    pence_per_session: int
    sessions: int
    new_person: bool = True

    @property
    def pence(self) -> int:
        return self.pence_per_session * self.sessions

    def commit(
        self, *, award_id: AwardId, referral_id: ReferralId, at: datetime, starts_on: date | None = None
    ) -> Award:
        """The award, its money promised by the fund. Raises what `Fund.commit` raises.

        `starts_on` lies before the day it is made where it follows one that was used up.
        """
        self.fund.commit(pence=self.pence, on=day_of(at), new_person=self.new_person)
        return Award(
            id=award_id,
            referral_id=referral_id,
            fund_id=self.fund.id,
            pence_per_session=self.pence_per_session,
            sessions=self.sessions,
            committed_pence=self.pence,
            approved_at=at,
            starts_on=starts_on or day_of(at),
            new_person=self.new_person,
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
    _check_fits(fund, pence, request)
    to_be_confirmed: AreaToBeConfirmed | None = None
    try:
        fund.check_person(purpose=FundPurpose.THERAPY, client_group=request.client_group, area=request.area)
    except AreaToBeConfirmed as refusal:
        to_be_confirmed = refusal
    if request.is_further and not (fund.further_awards or request.is_allowed):
        raise NeedsAPerson(f"{fund.name} gives another award by a person's decision only.")
    sessions = _sessions(fund, pence, request, policy)
    if to_be_confirmed:
        raise to_be_confirmed
    new_person = fund.id not in request.received_pence
    return Grant(fund=fund, pence_per_session=pence, sessions=sessions, new_person=new_person)


def _need(request: Request, policy: AwardPolicy) -> int:
    """What a session lacks, in pence; the highest fee that is subsidised stands in for one not known yet."""
    fee = policy.highest_session_fee_pence
    if request.session_fee_pence is not None:
        fee = min(fee, request.session_fee_pence)
    need = need_per_session(session_fee_pence=fee, fee_ceiling_pence=request.fee_ceiling_pence)
    if need == 0:
        raise NothingNeeded(f"The client can pay a session's fee up to {pounds(fee)}.")
    return need


def _check_fits(fund: Fund, pence: int, request: Request) -> None:
    """Raises FitsNoTherapist where therapists within reach cost more than the client and the fund can pay together."""
    together = (request.fee_ceiling_pence or 0) + pence
    if request.session_fee_pence is None and request.least_fee_pence is not None and together < request.least_fee_pence:
        raise FitsNoTherapist(
            f"{fund.name} and the client pay {pounds(together)} a session together, which fits no therapist."
        )


def _sessions(fund: Fund, pence: int, request: Request, policy: AwardPolicy) -> int:
    sessions = min(policy.sessions_per_award, fund.sessions_per_award or policy.sessions_per_award)
    if fund.client_cap_pence is not None:
        sessions = min(sessions, (fund.client_cap_pence - request.received_pence.get(fund.id, 0)) // pence)
    if sessions < 1:
        raise ClientCapReached(f"{fund.name} has paid all it may for this client.")
    if fund.id not in request.received_pence:
        fund.check_awards_left()
    affordable = fund.available_pence // pence
    if affordable < 1:
        raise NoMoney(f"{fund.name} has {pounds(fund.available_pence)} available, less than a session's part.")
    return min(sessions, affordable)


def _preference(fund: Fund) -> tuple[bool, date, FundId]:
    restricted = any(terms.is_area_restricted for terms in fund.terms if terms.purpose is FundPurpose.THERAPY)
    return not restricted, fund.ends_on, fund.id


_WAIT_REASONS: tuple[tuple[type[FundRefused], SubsidyWaitReason], ...] = (
    (AreaToBeConfirmed, SubsidyWaitReason.AREA_TO_BE_CONFIRMED),
    (NoMoney, SubsidyWaitReason.NO_MONEY),
    (FitsNoTherapist, SubsidyWaitReason.NO_THERAPIST_FITS),
    (NeedsAPerson, SubsidyWaitReason.AWARD_USED_UP),
)
"""What is told of several refusals: the one that is nearest to being lifted."""


def _wait_reason(refusals: list[FundRefused]) -> SubsidyWaitReason:
    for kind, reason in _WAIT_REASONS:
        if any(isinstance(refusal, kind) for refusal in refusals):
            return reason
    return SubsidyWaitReason.NO_ELIGIBLE_FUND
