"""Membership, invoices, referral fees and days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chassis.ids import new_id
from contracts.vocabulary import ClosureReason, InvoiceId, MatchEndReason, TherapistId
from services.billing.domain import fees
from services.billing.domain.days import day_of, end_of, start_of, year_after
from services.billing.domain.fees import Ending
from services.billing.domain.invoices import Invoice, InvoiceKind, Overpaid
from services.billing.domain.membership import Membership, MembershipPolicy, MembershipState
from tests.unit.billing.making import TODAY


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


def test_an_overpayment_is_refused_with_what_is_outstanding() -> None:
    invoice = an_invoice()
    invoice.pay(pence=20_00)
    with pytest.raises(Overpaid, match=r"£30\.00 outstanding"):
        invoice.pay(pence=30_01)
    assert invoice.paid_pence == 20_00


def test_a_credited_invoice_takes_no_payment() -> None:
    invoice = an_invoice()
    invoice.credit()
    with pytest.raises(Overpaid, match=r"£0\.00 outstanding"):
        invoice.pay(pence=1)


def test_a_paid_invoice_that_is_credited_leaves_the_charity_owing() -> None:
    invoice = an_invoice()
    invoice.pay(pence=50_00)
    assert invoice.credit() == 50_00
    assert (invoice.outstanding_pence, invoice.is_settled) == (-50_00, True)


def test_an_invoice_is_credited_once() -> None:
    invoice = an_invoice()
    assert (invoice.credit(), invoice.credit()) == (50_00, 0)


@given(st.lists(st.integers(min_value=1, max_value=60_00), max_size=10), st.booleans())
def test_no_invoice_takes_more_than_its_amount(payments: list[int], credited: bool) -> None:
    invoice = an_invoice()
    for pence in payments:
        try:
            invoice.pay(pence=pence)
        except Overpaid:
            assert pence > invoice.outstanding_pence
    if credited:
        invoice.credit()
    assert 0 <= invoice.paid_pence <= invoice.amount_pence
    assert invoice.outstanding_pence + invoice.paid_pence + invoice.credited_pence == invoice.amount_pence


@pytest.mark.parametrize(
    ("ending", "charged"),
    [(None, True), ("closed", True), ("closed_not_attended", True), ("withdrawn", False), ("signposted", False)],
)
def test_a_match_is_charged_unless_the_referral_was_gone(ending: str | None, charged: bool) -> None:
    assert fees.is_charged(ending=Ending(ending) if ending else None) is charged


@pytest.mark.parametrize("ending", Ending)
def test_a_session_attended_keeps_the_fee(ending: Ending) -> None:
    assert not fees.is_credited_by_ending(ending=ending, sessions_attended=1)


@pytest.mark.parametrize("reason", MatchEndReason)
def test_a_session_attended_keeps_the_fee_whatever_ended_the_match(reason: MatchEndReason) -> None:
    assert not fees.is_credited_by_match_end(reason=reason, sessions_attended=1)


def test_the_fee_is_given_back_when_nobody_came() -> None:
    credited = {
        reason for reason in MatchEndReason if fees.is_credited_by_match_end(reason=reason, sessions_attended=0)
    }
    assert credited == {MatchEndReason.NOT_ATTENDED, MatchEndReason.WITHDRAWN}
    assert {one for one in Ending if not fees.is_credited_by_ending(ending=one, sessions_attended=0)} == {Ending.CLOSED}


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
