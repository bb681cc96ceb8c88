"""Membership, invoices, referral fees and days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chassis.ids import new_id
from contracts.vocabulary import ClosureReason, FeeCreditReason, InvoiceId, MatchEndReason, TherapistId
from services.billing.domain import fees
from services.billing.domain.days import day_of, end_of, start_of, year_after
from services.billing.domain.fees import Ending
from services.billing.domain.invoices import Invoice, InvoiceKind
from services.billing.domain.membership import Membership, MembershipPolicy, MembershipState
from tests.unit.billing.making import NOW, TODAY


def an_invoice(pence: int = 50_00) -> Invoice:
    return Invoice(
        id=InvoiceId(new_id()),
        therapist_id=TherapistId(new_id()),
        kind=InvoiceKind.MEMBERSHIP,
        amount_pence=pence,
        issued_on=TODAY,
        due_on=TODAY,
    )


def a_membership(on: date = TODAY) -> Membership:
    return Membership.begin(therapist_id=TherapistId(new_id()), on=on, invoice_id=InvoiceId(new_id()))


def test_a_membership_runs_for_a_year() -> None:
    membership = a_membership(date(2026, 11, 23))
    assert (membership.ends_on, membership.renews_on) == (date(2027, 11, 22), date(2027, 11, 23))


def test_a_membership_begun_on_a_leap_day_renews_on_the_first_of_march() -> None:
    assert a_membership(date(2028, 2, 29)).renews_on == date(2029, 3, 1)


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)))
def test_a_year_after_is_always_a_year_on(day: date) -> None:
    assert 365 <= (year_after(day) - day).days <= 366


def test_a_membership_renews_when_its_year_is_over_and_not_before() -> None:
    membership = a_membership()
    assert not membership.may_renew(on=membership.ends_on)
    assert membership.may_renew(on=membership.renews_on)


def test_a_renewal_noticed_late_begins_where_the_last_year_ended() -> None:
    membership = a_membership(date(2026, 1, 10))
    membership.renew(invoice_id=InvoiceId(new_id()))
    assert membership.starts_on == date(2027, 1, 10)


def test_a_lapsed_membership_does_not_renew() -> None:
    membership = a_membership()
    membership.lapse()
    assert not membership.may_renew(on=membership.renews_on)


def test_a_membership_lapses_for_this_years_unpaid_fee_alone() -> None:
    membership = a_membership()
    assert membership.may_lapse(invoice_id=membership.invoice_id, is_settled=False)
    assert not membership.may_lapse(invoice_id=membership.invoice_id, is_settled=True)
    assert not membership.may_lapse(invoice_id=InvoiceId(new_id()), is_settled=False)


def test_paying_after_the_lapse_buys_a_year_from_that_day() -> None:
    membership = a_membership()
    membership.lapse()
    assert membership.is_revived_by(invoice_id=membership.invoice_id, is_settled=True)
    membership.revive(on=TODAY + timedelta(days=100))
    assert (membership.state, membership.starts_on) == (MembershipState.CURRENT, TODAY + timedelta(days=100))


def test_a_part_payment_revives_nothing() -> None:
    membership = a_membership()
    membership.lapse()
    assert not membership.is_revived_by(invoice_id=membership.invoice_id, is_settled=False)


def test_the_reminder_goes_before_the_lapse() -> None:
    policy = MembershipPolicy(fee_pence=50_00, grace_days=30, reminder_days_before_lapse=10)
    assert policy.reminder_on(issued_on=TODAY) == TODAY + timedelta(days=20)
    assert policy.last_day_of_grace(issued_on=TODAY) == TODAY + timedelta(days=30)


def test_the_reminder_never_goes_before_the_invoice() -> None:
    policy = MembershipPolicy(fee_pence=50_00, grace_days=5, reminder_days_before_lapse=10)
    assert policy.reminder_on(issued_on=TODAY) == TODAY


class MembershipMachine(RuleBasedStateMachine):
    """Years pass, fees are paid or not: a member has always an unlapsed year, and never two."""

    def __init__(self) -> None:
        super().__init__()
        self.membership = a_membership()
        self.today = TODAY
        self.paid: set[InvoiceId] = set()
        self.years = [(self.membership.starts_on, self.membership.ends_on)]

    @rule(days=st.integers(min_value=1, max_value=400))
    def pass_time(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule()
    def pay(self) -> None:
        invoice_id = self.membership.invoice_id
        self.paid.add(invoice_id)
        if self.membership.is_revived_by(invoice_id=invoice_id, is_settled=True):
            self.membership.revive(on=self.today)
            self.years[-1] = (self.membership.starts_on, self.membership.ends_on)

    @rule()
    def run_out_of_grace(self) -> None:
        invoice_id = self.membership.invoice_id
        if self.membership.may_lapse(invoice_id=invoice_id, is_settled=invoice_id in self.paid):
            self.membership.lapse()

    @rule()
    def reach_the_end(self) -> None:
        if self.membership.may_renew(on=self.today):
            self.membership.renew(invoice_id=InvoiceId(new_id()))
            self.years.append((self.membership.starts_on, self.membership.ends_on))

    @invariant()
    def a_paid_membership_is_never_lapsed(self) -> None:
        if self.membership.invoice_id in self.paid:
            assert self.membership.state is MembershipState.CURRENT

    @invariant()
    def no_day_is_paid_for_twice(self) -> None:
        for (_, last), (first, _) in zip(self.years, self.years[1:], strict=False):
            assert first > last


TestMembershipMachine = MembershipMachine.TestCase


def test_an_invoice_is_paid_in_parts() -> None:
    invoice = an_invoice()
    invoice.pay(pence=20_00)
    assert (invoice.outstanding_pence, invoice.is_settled) == (30_00, False)
    invoice.pay(pence=30_00)
    assert invoice.is_settled


def test_an_invoice_takes_what_it_needs_of_a_payment_and_leaves_the_rest() -> None:
    invoice = an_invoice()
    invoice.pay(pence=20_00)
    assert invoice.pay(pence=30_50) == 30_00
    assert (invoice.is_settled, invoice.paid_pence) == (True, 50_00)


def test_a_credited_invoice_needs_no_payment() -> None:
    invoice = an_invoice()
    invoice.credit()
    assert invoice.pay(pence=1) == 0


def test_a_paid_invoice_that_is_credited_is_overpaid_until_that_is_given_up() -> None:
    invoice = an_invoice()
    invoice.pay(pence=50_00)
    assert (invoice.credit(), invoice.overpaid_pence, invoice.outstanding_pence) == (50_00, 50_00, 0)
    assert invoice.unpay(pence=invoice.overpaid_pence) == 50_00
    assert (invoice.overpaid_pence, invoice.outstanding_pence, invoice.is_settled) == (0, 0, True)


def test_an_invoice_is_credited_once_and_asked_for_again_once() -> None:
    invoice = an_invoice()
    assert (invoice.credit(), invoice.credit()) == (50_00, 0)
    assert (invoice.take_credit_back(), invoice.take_credit_back()) == (50_00, 0)
    assert invoice.outstanding_pence == 50_00


@given(st.lists(st.integers(min_value=1, max_value=60_00), max_size=10), st.booleans())
def test_no_invoice_takes_more_than_its_amount(payments: list[int], credited: bool) -> None:
    invoice = an_invoice()
    taken = sum(invoice.pay(pence=pence) for pence in payments)
    assert taken == invoice.paid_pence == min(sum(payments), invoice.amount_pence)
    if credited:
        invoice.credit()
        invoice.unpay(pence=invoice.overpaid_pence)
    assert invoice.overpaid_pence == 0
    assert invoice.outstanding_pence + invoice.paid_pence + invoice.credited_pence == invoice.amount_pence


@pytest.mark.parametrize(
    ("notice", "reminded_after", "last_day_after"),
    [(10, 20, 30), (10, 25, 35), (10, 40, 50), (60, 0, 30)],
    ids=["in time", "late", "after the grace period", "no longer than the grace period"],
)
def test_nobody_lapses_who_was_not_reminded_in_time(notice: int, reminded_after: int, last_day_after: int) -> None:
    policy = MembershipPolicy(fee_pence=50_00, grace_days=30, reminder_days_before_lapse=notice)
    reminded_on = TODAY + timedelta(days=reminded_after)
    last_day = policy.last_day_after_notice(issued_on=TODAY, reminded_on=reminded_on)
    assert last_day == TODAY + timedelta(days=last_day_after)


@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("minutes", [-1, 0, 1])
def test_a_match_costs_nothing_if_the_request_had_gone_before_it(ending: Ending, minutes: int) -> None:
    gone = fees.had_gone(ending=ending, ended_at=NOW + timedelta(minutes=minutes), matched_at=NOW)
    assert gone == (minutes < 0 and ending in (Ending.WITHDRAWN, Ending.SIGNPOSTED))


def credited(sessions: int, match_end: MatchEndReason | None = None, **said: object) -> FeeCreditReason | None:
    """Why the fee is given back; `said` is what somebody said of whether the client came."""
    fields: dict[str, Any] = {"recorded": False, "ending": None, "match_end": match_end, **said}
    not_attended = fees.said_not_attended(**fields)
    return fees.credit_reason(sessions=sessions, not_attended=not_attended, match_end=match_end, unhappy_within=2)


@pytest.mark.parametrize("reason", [None, *MatchEndReason])
@pytest.mark.parametrize("ending", [None, *Ending])
def test_nothing_is_credited_by_silence(reason: MatchEndReason | None, ending: Ending | None) -> None:
    said = reason is MatchEndReason.NOT_ATTENDED
    said |= ending is Ending.CLOSED_NOT_ATTENDED and reason in (None, MatchEndReason.WITHDRAWN)
    assert (credited(0, reason, ending=ending) is not None) == said


def test_the_fee_is_given_back_when_somebody_says_that_the_client_never_came() -> None:
    assert credited(0, MatchEndReason.NOT_ATTENDED) is FeeCreditReason.NOT_ATTENDED
    assert credited(0, MatchEndReason.WITHDRAWN, recorded=True) is FeeCreditReason.NOT_ATTENDED
    assert credited(1, MatchEndReason.NOT_ATTENDED) is None


@pytest.mark.parametrize(("sessions", "given_back"), [(1, True), (2, True), (3, False), (10, False)])
def test_the_fee_is_given_back_to_whom_a_client_left_as_unhappy_within_the_first_two_sessions(
    sessions: int, given_back: bool
) -> None:
    expected = FeeCreditReason.CLIENT_UNHAPPY if given_back else None
    assert credited(sessions, MatchEndReason.CLIENT_UNHAPPY) is expected


@pytest.mark.parametrize("reason", [None, MatchEndReason.COMPLETED, MatchEndReason.WITHDRAWN])
def test_a_session_attended_lets_the_fee_stand(reason: MatchEndReason | None) -> None:
    assert credited(1, reason) is None


def test_only_an_unhappy_client_keeps_the_award() -> None:
    assert [one for one in MatchEndReason if fees.keeps_award(reason=one)] == [MatchEndReason.CLIENT_UNHAPPY]


def test_a_closure_says_whether_anybody_came() -> None:
    assert fees.ending_of_closure(ClosureReason.NOT_ATTENDED) is Ending.CLOSED_NOT_ATTENDED
    assert fees.ending_of_closure(ClosureReason.THERAPY_ENDED) is Ending.CLOSED


def test_a_day_begins_and_ends_in_london() -> None:
    summer = date(2026, 7, 1)
    assert start_of(summer) == datetime(2026, 6, 30, 23, 0, tzinfo=UTC)
    assert end_of(summer) == datetime(2026, 7, 1, 23, 0, tzinfo=UTC)
    assert day_of(datetime(2026, 6, 30, 23, 30, tzinfo=UTC)) == summer
