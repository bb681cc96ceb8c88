"""Referral fees and memberships: charged, credited, reminded of, renewed, lapsed, paid."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.ids import new_id
from chassis.ports import NotYet, Refused
from contracts.commands.billing import PaymentView, RecordAttendance, RecordPayment, TherapistAccountOf
from contracts.events.billing import (
    MembershipLapsed,
    MembershipRenewed,
    MembershipStarted,
    PaymentReceived,
    ReferralFeeCharged,
    ReferralFeeCredited,
)
from contracts.events.matching import TherapistMatched
from contracts.vocabulary import ClosureReason, InvoiceId, MatchEndReason, ReferralId, TherapistId
from services.billing import handlers
from tests.unit.billing.making import (
    TODAY,
    Bench,
    admitted,
    assessed,
    closed,
    ended,
    matched,
    referral,
    signposted,
    withdrawn,
)


def a_match(bench: Bench, therapist_id: TherapistId | None = None) -> TherapistMatched:
    """A referral without a subsidy, and the therapist who accepted it."""
    asked = referral(subsidy_requested=False)
    match = matched(asked.referral_id, therapist_id=therapist_id or TherapistId(new_id()))
    bench.told(asked, match)
    return match


def pay(bench: Bench, invoice_id: InvoiceId, pence: int, reference: str = "bank 1") -> PaymentView:
    request = RecordPayment(invoice_id=invoice_id, amount_pence=pence, reference=reference)
    view: PaymentView = bench.ask(handlers.record_payment, request)
    return view


def attend(bench: Bench, match: TherapistMatched) -> None:
    request = RecordAttendance(referral_id=match.referral_id, attended_on=bench.today)
    bench.ask(handlers.record_attendance, request)


def test_nothing_is_due_when_a_therapist_is_admitted(bench: Bench) -> None:
    therapist = TherapistId(new_id())
    bench.told(admitted(therapist), admitted(therapist))
    account = bench.account(therapist)
    assert (account.balance_pence, account.invoices, account.membership) == (0, (), None)


def test_the_first_match_begins_the_membership_and_is_charged(bench: Bench) -> None:
    match = a_match(bench)
    (started,), (charged,) = bench.emitted(MembershipStarted), bench.emitted(ReferralFeeCharged)
    assert (started.therapist_id, started.amount_pence) == (match.therapist_id, 50_00)
    assert (started.starts_on, started.ends_on) == (TODAY, TODAY.replace(year=2027) - timedelta(days=1))
    assert (charged.match_id, charged.referral_id, charged.amount_pence) == (match.match_id, match.referral_id, 30_00)
    account = bench.account(match.therapist_id)
    assert (account.balance_pence, account.membership) == (80_00, "current")
    assert bench.books().is_balanced


def test_a_second_match_is_charged_the_referral_fee_alone(bench: Bench) -> None:
    therapist = TherapistId(new_id())
    a_match(bench, therapist)
    a_match(bench, therapist)
    assert (len(bench.emitted(MembershipStarted)), len(bench.emitted(ReferralFeeCharged))) == (1, 2)
    assert bench.account(therapist).balance_pence == 110_00


def test_a_match_waits_for_its_referral(bench: Bench) -> None:
    with pytest.raises(NotYet):
        bench.told(matched(ReferralId(new_id())))


def test_the_end_of_a_match_waits_for_its_beginning(bench: Bench) -> None:
    with pytest.raises(NotYet):
        bench.told(ended(matched(ReferralId(new_id())), MatchEndReason.COMPLETED))


@pytest.mark.parametrize("end", [withdrawn, signposted, closed])
def test_the_end_of_a_referral_waits_for_its_beginning(bench: Bench, end: object) -> None:
    with pytest.raises(NotYet):
        bench.told(end(ReferralId(new_id())))  # type: ignore[operator]


@pytest.mark.parametrize("end", [withdrawn, signposted])
def test_a_match_with_a_referral_that_was_gone_costs_nothing(bench: Bench, end: object) -> None:
    asked = referral()
    match = matched(asked.referral_id)
    bench.told(asked, end(asked.referral_id), match)  # type: ignore[operator]
    assert bench.all_emitted == []
    assert bench.account(match.therapist_id).invoices == ()
    bench.told(ended(match, MatchEndReason.WITHDRAWN))
    assert bench.all_emitted == []


@pytest.mark.parametrize("end", [withdrawn, signposted])
def test_the_fee_is_credited_when_the_referral_ends_before_any_session(bench: Bench, end: object) -> None:
    match = a_match(bench)
    bench.told(end(match.referral_id))  # type: ignore[operator]
    (credited,) = bench.emitted(ReferralFeeCredited)
    assert (credited.match_id, credited.amount_pence) == (match.match_id, 30_00)
    assert credited.invoice_id == bench.emitted(ReferralFeeCharged)[0].invoice_id
    assert bench.account(match.therapist_id).balance_pence == 50_00
    assert (bench.balance("referral_fee_income"), bench.books().is_balanced) == (0, True)


def test_the_fee_is_credited_when_the_referral_is_closed_because_nobody_came(bench: Bench) -> None:
    match = a_match(bench)
    bench.told(closed(match.referral_id, ClosureReason.NOT_ATTENDED))
    assert len(bench.emitted(ReferralFeeCredited)) == 1


def test_a_match_heard_of_after_its_closing_is_charged_and_credited_as_in_order(bench: Bench) -> None:
    asked = referral()
    match = matched(asked.referral_id)
    bench.told(asked, closed(asked.referral_id, ClosureReason.NOT_ATTENDED), match)
    assert (len(bench.emitted(ReferralFeeCharged)), len(bench.emitted(ReferralFeeCredited))) == (1, 1)
    assert bench.account(match.therapist_id).balance_pence == 50_00


def test_the_fee_stands_when_therapy_came_to_its_end(bench: Bench) -> None:
    match = a_match(bench)
    bench.told(ended(match, MatchEndReason.COMPLETED), closed(match.referral_id))
    assert bench.emitted(ReferralFeeCredited) == []


@pytest.mark.parametrize("reason", [MatchEndReason.NOT_ATTENDED, MatchEndReason.WITHDRAWN])
def test_the_fee_is_credited_when_the_match_ends_before_any_session(bench: Bench, reason: MatchEndReason) -> None:
    match = a_match(bench)
    bench.told(ended(match, reason))
    assert len(bench.emitted(ReferralFeeCredited)) == 1


def test_the_fee_stands_when_the_client_was_unhappy(bench: Bench) -> None:
    bench.told(ended(a_match(bench), MatchEndReason.CLIENT_UNHAPPY))
    assert bench.emitted(ReferralFeeCredited) == []


@pytest.mark.parametrize("reason", [MatchEndReason.CLIENT_UNHAPPY, MatchEndReason.COMPLETED])
def test_a_later_withdrawal_credits_no_fee_of_a_match_that_was_over(bench: Bench, reason: MatchEndReason) -> None:
    first = a_match(bench)
    second = matched(first.referral_id, matched_at=first.matched_at + timedelta(hours=1))
    bench.told(ended(first, reason), second, withdrawn(first.referral_id))
    assert [one.match_id for one in bench.emitted(ReferralFeeCredited)] == [second.match_id]


def test_the_fee_is_credited_once_however_often_the_end_is_told(bench: Bench) -> None:
    match = a_match(bench)
    end = ended(match, MatchEndReason.WITHDRAWN)
    bench.told(withdrawn(match.referral_id), end, end, withdrawn(match.referral_id))
    assert len(bench.emitted(ReferralFeeCredited)) == 1
    assert bench.account(match.therapist_id).balance_pence == 50_00


@pytest.mark.parametrize("end", [withdrawn, signposted])
def test_the_fee_stands_once_a_session_was_attended(bench: Bench, end: object) -> None:
    match = a_match(bench)
    attend(bench, match)
    bench.told(end(match.referral_id), ended(match, MatchEndReason.WITHDRAWN))  # type: ignore[operator]
    assert bench.emitted(ReferralFeeCredited) == []


def test_a_subsidised_session_lets_the_fee_stand(bench: Bench) -> None:
    bench.open_fund()
    asked = referral()
    bench.told(asked, assessed(asked.referral_id), matched(asked.referral_id))
    bench.draw_down(bench.subsidy(asked.referral_id).award.award_id)  # type: ignore[union-attr]
    bench.told(withdrawn(asked.referral_id))
    assert bench.emitted(ReferralFeeCredited) == []


def test_an_older_ending_than_what_took_effect_is_dropped(bench: Bench) -> None:
    match = a_match(bench)
    bench.hear(handlers.close, closed(match.referral_id), sequence=9)
    bench.hear(handlers.withdraw, withdrawn(match.referral_id), sequence=8)
    assert bench.emitted(ReferralFeeCredited) == []


def test_a_newer_ending_than_what_took_effect_counts(bench: Bench) -> None:
    match = a_match(bench)
    bench.hear(handlers.close, closed(match.referral_id), sequence=8)
    bench.hear(handlers.withdraw, withdrawn(match.referral_id), sequence=9)
    assert len(bench.emitted(ReferralFeeCredited)) == 1


def test_a_match_replayed_after_the_inbox_has_forgotten_it_changes_nothing(bench: Bench) -> None:
    match = a_match(bench)
    before = bench.all_emitted
    bench.told(match)
    assert bench.all_emitted == before


def test_a_paid_membership_renews_a_year_after_its_start(bench: Bench) -> None:
    match = a_match(bench)
    pay(bench, bench.emitted(MembershipStarted)[0].invoice_id, 50_00)
    bench.pass_days(364)
    assert bench.emitted(MembershipRenewed) == []
    bench.pass_days(1)
    (renewed,) = bench.emitted(MembershipRenewed)
    assert (renewed.starts_on, renewed.amount_pence) == (TODAY.replace(year=2027), 50_00)
    assert bench.account(match.therapist_id).balance_pence == 80_00
    assert bench.emitted(MembershipLapsed) == []


def test_an_unpaid_membership_is_reminded_of_and_lapses_after_the_grace_period(bench: Bench) -> None:
    match = a_match(bench)
    bench.pass_days(19)
    assert bench.invoice(match.therapist_id, "membership").reminded_on is None
    bench.pass_days(1)
    assert bench.invoice(match.therapist_id, "membership").reminded_on == TODAY + timedelta(days=20)
    bench.pass_days(10)
    assert bench.emitted(MembershipLapsed) == []
    bench.pass_days(1)
    (lapsed,) = bench.emitted(MembershipLapsed)
    assert (lapsed.therapist_id, lapsed.lapsed_on) == (match.therapist_id, TODAY + timedelta(days=31))
    assert bench.account(match.therapist_id).membership == "lapsed"


def test_a_paid_membership_is_not_reminded_of(bench: Bench) -> None:
    match = a_match(bench)
    pay(bench, bench.emitted(MembershipStarted)[0].invoice_id, 50_00)
    bench.pass_days(40)
    assert bench.invoice(match.therapist_id, "membership").reminded_on is None
    assert bench.emitted(MembershipLapsed) == []


def test_a_part_payment_does_not_save_a_membership(bench: Bench) -> None:
    a_match(bench)
    pay(bench, bench.emitted(MembershipStarted)[0].invoice_id, 49_99)
    bench.pass_days(31)
    assert len(bench.emitted(MembershipLapsed)) == 1


def test_a_lapsed_membership_is_not_charged_for_again(bench: Bench) -> None:
    match = a_match(bench)
    bench.pass_days(400)
    assert bench.emitted(MembershipRenewed) == []
    assert bench.account(match.therapist_id).balance_pence == 80_00


def test_paying_after_the_lapse_renews_for_a_year_from_that_day_at_no_further_charge(bench: Bench) -> None:
    match = a_match(bench)
    invoice_id = bench.emitted(MembershipStarted)[0].invoice_id
    bench.pass_days(100)
    pay(bench, invoice_id, 20_00, "first part")
    assert bench.emitted(MembershipRenewed) == []
    pay(bench, invoice_id, 30_00, "the rest")
    (renewed,) = bench.emitted(MembershipRenewed)
    assert (renewed.invoice_id, renewed.starts_on) == (invoice_id, TODAY + timedelta(days=100))
    assert bench.account(match.therapist_id).membership == "current"
    assert bench.account(match.therapist_id).balance_pence == 30_00
    bench.pass_days(366)  # 2028 is a leap year
    assert len(bench.emitted(MembershipRenewed)) == 2


def test_a_match_after_the_lapse_begins_no_second_membership(bench: Bench) -> None:
    match = a_match(bench)
    bench.pass_days(40)
    a_match(bench, match.therapist_id)
    assert len(bench.emitted(MembershipStarted)) == 1


def test_a_second_years_fee_lapses_too(bench: Bench) -> None:
    a_match(bench)
    pay(bench, bench.emitted(MembershipStarted)[0].invoice_id, 50_00)
    bench.pass_days(365 + 31)
    (lapsed,) = bench.emitted(MembershipLapsed)
    assert lapsed.invoice_id == bench.emitted(MembershipRenewed)[0].invoice_id


def test_a_payment_goes_from_what_is_owed_to_the_bank(bench: Bench) -> None:
    match = a_match(bench)
    invoice_id = bench.emitted(ReferralFeeCharged)[0].invoice_id
    view = pay(bench, invoice_id, 10_00)
    (received,) = bench.emitted(PaymentReceived)
    assert (received.payment_id, received.invoice_id, received.amount_pence) == (view.payment_id, invoice_id, 10_00)
    assert (view.outstanding_pence, bench.balance("bank")) == (20_00, 10_00)
    assert bench.account(match.therapist_id).balance_pence == 70_00
    assert bench.books().is_balanced


def test_a_payment_told_twice_is_taken_once(bench: Bench) -> None:
    a_match(bench)
    invoice_id = bench.emitted(ReferralFeeCharged)[0].invoice_id
    assert pay(bench, invoice_id, 10_00) == pay(bench, invoice_id, 10_00)
    assert (len(bench.emitted(PaymentReceived)), bench.balance("bank")) == (1, 10_00)


def refusal_of(bench: Bench, invoice_id: InvoiceId, pence: int, reference: str = "bank 1") -> str:
    with pytest.raises(Refused) as refused:
        pay(bench, invoice_id, pence, reference)
    assert str(refused.value)
    return type(refused.value).__name__


def test_payments_that_do_not_fit_are_refused_by_name(bench: Bench) -> None:
    a_match(bench)
    invoice_id = bench.emitted(ReferralFeeCharged)[0].invoice_id
    pay(bench, invoice_id, 10_00)
    assert refusal_of(bench, invoice_id, 11_00) == "ReferenceUsed"
    assert refusal_of(bench, invoice_id, 20_01, "bank 2") == "Overpaid"
    assert refusal_of(bench, InvoiceId(new_id()), 10_00) == "UnknownInvoice"
    assert bench.balance("bank") == 10_00


def test_a_fee_paid_and_then_credited_is_owed_to_the_therapist(bench: Bench) -> None:
    match = a_match(bench)
    pay(bench, bench.emitted(ReferralFeeCharged)[0].invoice_id, 30_00)
    bench.told(withdrawn(match.referral_id))
    invoice = bench.invoice(match.therapist_id, "referral_fee")
    assert (invoice.outstanding_pence, invoice.is_settled) == (-30_00, True)
    assert bench.account(match.therapist_id).balance_pence == 20_00


def test_an_unknown_therapist_has_no_account(bench: Bench) -> None:
    with pytest.raises(Refused):
        bench.ask(handlers.therapist_account, TherapistAccountOf(therapist_id=TherapistId(new_id())))
