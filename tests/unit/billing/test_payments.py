"""Money as it comes: in parts, too much, twice under one reference, taken back; and credit set against what is owed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chassis.ids import new_id
from chassis.ports import Refused
from chassis.testing import somebody
from contracts.commands.billing import PaymentView, RecordAttendance, RecordPayment, ReversalView, ReversePayment
from contracts.events.billing import (
    MembershipLapsed,
    MembershipReminded,
    MembershipRenewed,
    MembershipStarted,
    PaymentReceived,
    PaymentReversed,
    ReferralFeeCharged,
)
from contracts.events.matching import TherapistMatched
from contracts.vocabulary import InvoiceId, MatchEndReason, PaymentId, PaymentReversalReason, TherapistId
from services.billing.handlers import payments, sessions
from tests.unit.billing.making import TODAY, Bench, ended, matched, referral


def a_match(bench: Bench, therapist_id: TherapistId | None = None) -> TherapistMatched:
    """A referral without a subsidy, and the therapist who accepted it."""
    asked = referral(subsidy_requested=False)
    match = matched(asked.referral_id, therapist_id=therapist_id or TherapistId(new_id()))
    bench.told(asked, match)
    return match


def pay(bench: Bench, invoice_id: InvoiceId, pence: int, **changed: Any) -> PaymentView:
    fields = {"reference": "M123", **changed}
    view: PaymentView = bench.ask(
        payments.record_payment, RecordPayment(invoice_id=invoice_id, amount_pence=pence, **fields)
    )
    return view


def take_back(bench: Bench, payment_id: PaymentId, by: str = "sam") -> ReversalView:
    reason = PaymentReversalReason.RETURNED_BY_BANK
    request = ReversePayment(payment_id=payment_id, reason=reason)
    view: ReversalView = bench.ask(payments.reverse_payment, request, by=somebody(by))
    return view


def refusal_of(bench: Bench, invoice_id: InvoiceId, pence: int, **changed: Any) -> str:
    with pytest.raises(Refused) as refused:
        pay(bench, invoice_id, pence, **changed)
    assert str(refused.value)
    return type(refused.value).__name__


@pytest.fixture
def match(bench: Bench) -> TherapistMatched:
    return a_match(bench)


@pytest.fixture
def membership(bench: Bench, match: TherapistMatched) -> InvoiceId:
    return bench.invoice(match.therapist_id, "membership").invoice_id


@pytest.fixture
def fee(bench: Bench, match: TherapistMatched) -> InvoiceId:
    return bench.invoice(match.therapist_id, "referral_fee").invoice_id


def test_two_payments_under_one_reference_a_week_apart_are_two(bench: Bench, membership: InvoiceId) -> None:
    first = pay(bench, membership, 25_00)
    bench.clock.advance(timedelta(days=7))
    second = pay(bench, membership, 25_00)
    assert first.payment_id != second.payment_id
    assert (second.outstanding_pence, bench.balance("bank")) == (0, 50_00)
    bench.pass_days(40)
    assert bench.emitted(MembershipLapsed) == []


def test_the_day_that_the_bank_shows_tells_payments_apart(bench: Bench, membership: InvoiceId) -> None:
    for day in (TODAY - timedelta(days=9), TODAY - timedelta(days=2), TODAY - timedelta(days=2)):
        pay(bench, membership, 20_00, paid_on=day)
    assert (len(bench.emitted(PaymentReceived)), bench.balance("bank")) == (2, 40_00)


@pytest.mark.parametrize("named", [{"payment_id": new_id()}, {"bank_id": "FT26327XYZ"}], ids=["ours", "the bank's"])
def test_a_payment_of_one_identifier_is_one_whenever_it_is_told(
    bench: Bench, fee: InvoiceId, named: dict[str, Any]
) -> None:
    first = pay(bench, fee, 10_00, **named)
    bench.clock.advance(timedelta(days=7))
    assert pay(bench, fee, 10_00, **named) == first
    assert (len(bench.emitted(PaymentReceived)), bench.balance("bank")) == (1, 10_00)
    assert refusal_of(bench, fee, 11_00, **named) == "PaymentIdUsed"


def test_payments_that_look_alike_are_two_if_the_bank_says_so(bench: Bench, membership: InvoiceId) -> None:
    for bank_id in ("FT1", "FT2"):
        pay(bench, membership, 25_00, bank_id=bank_id, paid_on=TODAY)
    assert bench.balance("bank") == 50_00


def test_a_payment_of_an_unknown_invoice_is_refused(bench: Bench) -> None:
    assert refusal_of(bench, InvoiceId(new_id()), 10_00) == "UnknownInvoice"


def test_what_is_too_much_is_taken_and_stands_to_the_payers_credit(bench: Bench, match: TherapistMatched) -> None:
    pay(bench, bench.invoice(match.therapist_id, "membership").invoice_id, 50_00)
    view = pay(bench, bench.invoice(match.therapist_id, "referral_fee").invoice_id, 30_50)
    assert (view.amount_pence, view.outstanding_pence, view.credit_pence) == (30_50, 0, 50)
    assert bench.emitted(PaymentReceived)[-1].credit_pence == 50
    account = bench.account(match.therapist_id)
    assert (account.balance_pence, account.credit_pence, bench.balance("bank")) == (-50, 50, 80_50)
    assert bench.books().is_balanced


def test_credit_is_set_against_what_is_owed_already(bench: Bench, match: TherapistMatched) -> None:
    pay(bench, bench.invoice(match.therapist_id, "referral_fee").invoice_id, 50_00)
    assert bench.invoice(match.therapist_id, "membership").outstanding_pence == 30_00
    assert bench.account(match.therapist_id).credit_pence == 0


def test_credit_is_set_against_what_is_charged_next(bench: Bench, match: TherapistMatched) -> None:
    pay(bench, bench.invoice(match.therapist_id, "membership").invoice_id, 100_00)
    a_match(bench, match.therapist_id)
    assert bench.emitted(ReferralFeeCharged)[-1].from_credit_pence == 20_00
    assert bench.invoice(match.therapist_id, "referral_fee").outstanding_pence == 10_00
    assert bench.account(match.therapist_id).balance_pence == 10_00


def test_a_fee_given_back_after_it_was_paid_is_set_against_what_is_owed(bench: Bench, match: TherapistMatched) -> None:
    pay(bench, bench.invoice(match.therapist_id, "referral_fee").invoice_id, 30_00)
    bench.told(ended(match, MatchEndReason.NOT_ATTENDED))
    assert bench.invoice(match.therapist_id, "referral_fee").outstanding_pence == 0
    assert bench.invoice(match.therapist_id, "membership").outstanding_pence == 20_00
    assert bench.account(match.therapist_id).balance_pence == 20_00
    assert bench.books().is_balanced


def test_a_membership_that_lapsed_revives_when_credit_pays_the_rest_of_it(
    bench: Bench, match: TherapistMatched, membership: InvoiceId, fee: InvoiceId
) -> None:
    pay(bench, membership, 20_00)
    pay(bench, fee, 30_00)
    bench.pass_days(31)
    assert bench.account(match.therapist_id).membership == "lapsed"
    bench.told(ended(match, MatchEndReason.NOT_ATTENDED))
    assert bench.account(match.therapist_id).membership == "current"
    assert [one.invoice_id for one in bench.emitted(MembershipRenewed)] == [membership]


def test_a_payment_taken_back_is_owed_again(bench: Bench, match: TherapistMatched, membership: InvoiceId) -> None:
    payment_id = pay(bench, membership, 60_00).payment_id
    assert take_back(bench, payment_id).changed
    (told,) = bench.emitted(PaymentReversed)
    assert (told.payment_id, told.invoice_id, told.amount_pence) == (payment_id, membership, 60_00)
    account = bench.account(match.therapist_id)
    assert [one.outstanding_pence for one in account.invoices] == [50_00, 30_00]
    assert (account.balance_pence, account.credit_pence, bench.balance("bank")) == (80_00, 0, 0)
    assert bench.books().is_balanced


def test_a_payment_is_taken_back_once_however_often_it_is_asked(bench: Bench, membership: InvoiceId) -> None:
    payment_id = pay(bench, membership, 50_00).payment_id
    take_back(bench, payment_id)
    again = take_back(bench, payment_id, "alex")
    assert (again.reversed_by, again.changed) == ("console:sam", False)
    assert (len(bench.emitted(PaymentReversed)), bench.balance("bank")) == (1, 0)
    with pytest.raises(Refused):
        take_back(bench, PaymentId(new_id()))


def test_a_payment_that_was_taken_back_can_be_recorded_rightly_on_the_same_day(
    bench: Bench, membership: InvoiceId
) -> None:
    take_back(bench, pay(bench, membership, 50_00).payment_id)
    assert pay(bench, membership, 50_00).outstanding_pence == 0


def test_what_else_stands_to_their_credit_pays_what_is_owed_again(bench: Bench, membership: InvoiceId) -> None:
    pay(bench, membership, 70_00)
    second = pay(bench, membership, 20_00).payment_id
    take_back(bench, second)
    assert sorted(one.outstanding_pence for one in bench.account(_payer(bench)).invoices) == [0, 10_00]


def test_whose_payment_is_returned_is_reminded_and_lapses_only_after_that(
    bench: Bench, membership: InvoiceId, match: TherapistMatched
) -> None:
    payment_id = pay(bench, membership, 50_00).payment_id
    bench.pass_days(60)
    take_back(bench, payment_id)
    (reminded,) = bench.emitted(MembershipReminded)
    assert reminded.lapses_on == bench.today + timedelta(days=11)
    bench.pass_days(10)
    assert bench.account(match.therapist_id).membership == "current"
    bench.pass_days(1)
    assert bench.account(match.therapist_id).membership == "lapsed"


def _payer(bench: Bench) -> TherapistId:
    return bench.emitted(MembershipStarted)[0].therapist_id


class AccountMachine(RuleBasedStateMachine):
    """A therapist is charged, pays, is given fees back, has payments returned: the account is what the ledger says."""

    def __init__(self) -> None:
        super().__init__()
        self.bench, self.therapist = Bench(), TherapistId(new_id())
        self.matches = [a_match(self.bench, self.therapist)]
        self.payments: list[tuple[PaymentId, int]] = []

    @rule()
    def match(self) -> None:
        self.matches.append(a_match(self.bench, self.therapist))

    @rule(data=st.data(), pence=st.integers(min_value=1, max_value=120_00))
    def pay(self, data: st.DataObject, pence: int) -> None:
        invoice = data.draw(st.sampled_from(self.bench.account(self.therapist).invoices))
        view = pay(self.bench, invoice.invoice_id, pence, payment_id=PaymentId(new_id()))
        self.payments.append((view.payment_id, pence))

    @precondition(lambda self: self.payments)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        payment = data.draw(st.sampled_from(self.payments))
        take_back(self.bench, payment[0])
        self.payments.remove(payment)

    @rule(data=st.data())
    def never_attended(self, data: st.DataObject) -> None:
        self.bench.told(ended(data.draw(st.sampled_from(self.matches)), MatchEndReason.NOT_ATTENDED))

    @rule(data=st.data())
    def attended_after_all(self, data: st.DataObject) -> None:
        match = data.draw(st.sampled_from(self.matches))
        request = RecordAttendance(referral_id=match.referral_id, attended_on=date(2026, 11, 23))
        try:
            self.bench.ask(sessions.record_attendance, request)
        except Refused:
            return

    @invariant()
    def the_account_is_what_the_ledger_says(self) -> None:
        account = self.bench.account(self.therapist)
        owed = sum(one.outstanding_pence for one in account.invoices)
        assert account.balance_pence == owed - account.credit_pence
        assert self.bench.balance("bank") == sum(pence for _, pence in self.payments)
        assert self.bench.books().is_balanced

    @invariant()
    def nothing_is_owed_while_there_is_credit(self) -> None:
        account = self.bench.account(self.therapist)
        assert account.credit_pence == 0 or all(one.is_settled for one in account.invoices)
        for one in account.invoices:
            assert one.paid_pence >= 0
            assert one.paid_pence + one.credited_pence <= one.amount_pence


TestAccountMachine = pytest.mark.timeout(120)(AccountMachine.TestCase)
TestAccountMachine.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
