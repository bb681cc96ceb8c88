"""Whatever is done to a fund and its awards, in any order: no penny is lost, none is spent twice."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis.ids import new_id
from contracts.vocabulary import AwardId, ClientGroup, ReferralId
from services.billing.domain import ledger
from services.billing.domain.awards import Award, AwardRefused, AwardState, Request, choose
from services.billing.domain.days import start_of
from services.billing.domain.funds import FundRefused
from services.billing.domain.ledger import AccountKind, Journal
from tests.unit.billing import making
from tests.unit.billing.making import a_fund

POLICY = making.POLICY.awards
LATE_DAYS = POLICY.late_session_days
STARTS, ENDS = date(2026, 1, 1), date(2026, 3, 31)
DAYS = st.dates(STARTS - timedelta(days=5), ENDS + timedelta(days=5))
MAYBE_PENCE = st.none() | st.integers(min_value=1, max_value=120_00)


class FundMachine(RuleBasedStateMachine):
    awards: Bundle[Award] = Bundle("awards")

    @initialize(
        pence=st.integers(min_value=1, max_value=3_000_00),
        session_cap=MAYBE_PENCE,
        client_cap=MAYBE_PENCE,
        max_awards=st.none() | st.integers(min_value=1, max_value=4),
    )
    def open(self, pence: int, session_cap: int | None, client_cap: int | None, max_awards: int | None) -> None:
        caps = {"session_cap_pence": session_cap, "client_cap_pence": client_cap, "max_awards": max_awards}
        self.fund = a_fund(pence, starts_on=STARTS, ends_on=ENDS, **caps)
        self.journals: list[Journal] = [ledger.fund_opened(fund_id=self.fund.id, pence=pence)]
        self.made: list[Award] = []
        self.sessions: list[tuple[Award, UUID, int]] = []

    @rule(target=awards, on=DAYS, ceiling=MAYBE_PENCE, fee=MAYBE_PENCE)
    def award(self, on: date, ceiling: int | None, fee: int | None) -> Award | None:
        request = Request(client_group=ClientGroup.FAMILY, fee_ceiling_pence=ceiling, session_fee_pence=fee)
        try:
            grant = choose(request=request, funds=[self.fund], policy=POLICY, on=on)
        except AwardRefused:
            return None
        award = grant.commit(award_id=AwardId(new_id()), referral_id=ReferralId(new_id()), at=start_of(on))
        committed = ledger.subsidy_committed(cause_id=award.id, fund_id=self.fund.id, pence=award.committed_pence)
        self.journals.append(committed)
        self.made.append(award)
        assert STARTS <= on <= ENDS
        return award

    @rule(award=awards, on=DAYS, late=st.integers(min_value=0, max_value=60))
    def attend(self, award: Award | None, on: date, late: int) -> None:
        """A session, reported so many days later; also of an award that has come to its end."""
        if award is None:
            return
        try:
            down = award.draw_down(fund=self.fund, on=on, reported_on=on + timedelta(days=late), late_days=LATE_DAYS)
        except (AwardRefused, FundRefused):
            return
        assert STARTS <= award.starts_on <= on <= ENDS
        assert on + timedelta(days=late) <= ENDS + timedelta(days=LATE_DAYS)
        session_id, fund_id = new_id(), self.fund.id
        if down.committed_pence:
            assert not award.holds_money
            committed = ledger.subsidy_committed(cause_id=session_id, fund_id=fund_id, pence=down.committed_pence)
            self.journals.append(committed)
        self.journals.append(
            ledger.subsidy_drawn_down(session_id=session_id, fund_id=fund_id, therapist_id=new_id(), pence=down.pence)
        )
        self.sessions.append((award, session_id, down.pence))

    @precondition(lambda self: self.sessions)
    @rule(data=st.data(), goes_on=st.booleans())
    def take_back(self, data: st.DataObject, goes_on: bool) -> None:
        session = data.draw(st.sampled_from(self.sessions))
        self.sessions.remove(session)
        award, session_id, pence = session
        released = award.undo_draw_down(fund=self.fund, pence=pence, goes_on=goes_on)
        self.journals.append(
            ledger.subsidy_drawdown_reversed(
                session_id=session_id, fund_id=self.fund.id, therapist_id=new_id(), pence=pence
            )
        )
        self._released(released)

    @rule(award=awards, pence=st.integers(min_value=0, max_value=70_00))
    def lower(self, award: Award | None, pence: int) -> None:
        if award is not None:
            self._released(award.lower_to(fund=self.fund, pence_per_session=pence))

    @rule(award=awards, on=DAYS)
    def close(self, award: Award | None, on: date) -> None:
        if award is not None:
            award.close(pays_until=on)

    @rule(award=awards)
    def go_on(self, award: Award | None) -> None:
        """What had ended was none: what stayed reserved is for sessions to come again."""
        if award is not None:
            award.resume()
            assert award.state is not AwardState.CLOSING

    @rule(award=awards, on=st.none() | DAYS)
    def end(self, award: Award | None, on: date | None) -> None:
        if award is not None:
            self._released(award.end(fund=self.fund, pays_until=on))

    @invariant()
    def nothing_is_below_zero(self) -> None:
        assert min(self.fund.available_pence, self.fund.committed_pence, self.fund.drawn_pence) >= 0

    @invariant()
    def no_penny_is_lost(self) -> None:
        fund = self.fund
        assert fund.available_pence + fund.committed_pence + fund.drawn_pence == fund.opened_pence

    @invariant()
    def the_fund_has_committed_what_its_awards_hold(self) -> None:
        held = [award for award in self.made if award.holds_money]
        assert self.fund.committed_pence == sum(award.held_pence for award in held)
        assert all(award.held_pence == award.sessions_left * award.pence_per_session > 0 for award in held)
        assert all(award.held_pence == 0 for award in self.made if award not in held)

    @invariant()
    def an_award_has_spent_what_its_sessions_cost(self) -> None:
        for award in self.made:
            costs = [pence for of, _, pence in self.sessions if of is award]
            assert (award.drawn_pence, award.sessions_used) == (sum(costs), len(costs))
            assert award.sessions_used <= award.sessions
        touched = [one for one in self.made if one.state is not AwardState.ENDED or one.drawn_pence]
        assert self.fund.awards_made == len(touched)

    @invariant()
    def no_more_people_were_helped_than_the_gift_was_for(self) -> None:
        assert self.fund.max_awards is None or self.fund.awards_made <= self.fund.max_awards

    @invariant()
    def the_ledger_agrees(self) -> None:
        balance = ledger.trial_balance(self.journals)
        assert balance.is_balanced
        by_kind = {account.kind: 0 for account in balance.totals}
        for account, pence in balance.totals.items():
            by_kind[account.kind] += pence
        assert -by_kind.get(AccountKind.FUND_AVAILABLE, 0) == self.fund.available_pence
        assert -by_kind.get(AccountKind.FUND_COMMITTED, 0) == self.fund.committed_pence
        assert -by_kind.get(AccountKind.THERAPIST_PAYABLE, 0) == self.fund.drawn_pence

    def _released(self, pence: int) -> None:
        if pence:
            self.journals.append(ledger.subsidy_released(cause_id=new_id(), fund_id=self.fund.id, pence=pence))


TestFundMachine = pytest.mark.timeout(120)(FundMachine.TestCase)
TestFundMachine.settings = settings(max_examples=150, stateful_step_count=30)
