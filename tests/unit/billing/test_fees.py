"""Referral fees and memberships: charged, credited, reminded of, renewed, lapsed, paid."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.ids import new_id
from chassis.ports import NotYet, Refused
from contracts.commands.billing import GetTherapistAccount, PaymentView, RecordAttendance, RecordPayment
from contracts.events.billing import (
    MembershipLapsed,
    MembershipReminded,
    MembershipRenewed,
    MembershipStarted,
    PaymentReceived,
    ReferralFeeCharged,
    ReferralFeeCredited,
)
from contracts.events.matching import TherapistMatched
from contracts.vocabulary import ClosureReason, FeeCreditReason, InvoiceId, MatchEndReason, ReferralId, TherapistId
from services.billing.handlers import payments, queries, referrals
from services.billing.handlers import sessions as session_commands
from tests.unit.billing.making import (
    NOW,
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
    view: PaymentView = bench.ask(payments.record_payment, request)
    return view


def attend(bench: Bench, match: TherapistMatched) -> None:
    request = RecordAttendance(referral_id=match.referral_id, attended_on=bench.today)
    bench.ask(session_commands.record_attendance, request)


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
    match = matched(asked.referral_id, matched_at=NOW + timedelta(minutes=1))
    bench.told(asked, end(asked.referral_id), match)  # type: ignore[operator]
    assert bench.all_emitted == []
    assert bench.account(match.therapist_id).invoices == ()
    bench.told(ended(match, MatchEndReason.WITHDRAWN))
    assert bench.all_emitted == []


@pytest.mark.parametrize("end", [withdrawn, signposted])
def test_a_match_with_a_referral_that_was_gone_costs_nothing_when_that_is_heard_later(
    bench: Bench, end: object
) -> None:
    asked = referral()
    match = matched(asked.referral_id, matched_at=NOW + timedelta(minutes=1))
    bench.told(asked, match, end(asked.referral_id))  # type: ignore[operator]
    (credited,) = bench.emitted(ReferralFeeCredited)
    assert (credited.match_id, credited.amount_pence) == (match.match_id, 30_00)
    assert credited.reason is FeeCreditReason.REFERRAL_GONE
    assert credited.invoice_id == bench.emitted(ReferralFeeCharged)[0].invoice_id
    assert bench.account(match.therapist_id).balance_pence == 50_00
    assert (bench.balance("referral_fee_income"), bench.books().is_balanced) == (0, True)


@pytest.mark.parametrize("end", [withdrawn, signposted])
def test_the_end_of_a_referral_credits_nothing_as_long_as_nobody_says_that_the_client_never_came(
    bench: Bench, end: object
) -> None:
    match = a_match(bench)
    bench.told(end(match.referral_id), ended(match, MatchEndReason.WITHDRAWN))  # type: ignore[operator]
    bench.pass_days(120)
    assert bench.emitted(ReferralFeeCredited) == []
    assert bench.invoice(match.therapist_id, "referral_fee").outstanding_pence == 30_00


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


def test_the_fee_is_credited_when_the_match_ends_because_the_client_never_came(bench: Bench) -> None:
    bench.told(ended(a_match(bench), MatchEndReason.NOT_ATTENDED))
    (credited,) = bench.emitted(ReferralFeeCredited)
    assert credited.reason is FeeCreditReason.NOT_ATTENDED


@pytest.mark.parametrize(("sessions", "given_back"), [(0, False), (1, True), (2, True), (3, False)])
def test_the_fee_is_credited_to_whom_a_client_left_as_unhappy_within_the_first_two_sessions(
    bench: Bench, sessions: int, given_back: bool
) -> None:
    match = a_match(bench)
    for _ in range(sessions):
        attend(bench, match)
        bench.clock.advance(timedelta(days=7))
    bench.told(ended(match, MatchEndReason.CLIENT_UNHAPPY))
    expected = [FeeCreditReason.CLIENT_UNHAPPY] if given_back else []
    assert [one.reason for one in bench.emitted(ReferralFeeCredited)] == expected


def test_every_accepted_referral_of_a_client_who_changes_therapist_is_charged(bench: Bench) -> None:
    first = a_match(bench)
    attend(bench, first)
    second = matched(first.referral_id, matched_at=first.matched_at + timedelta(days=1))
    bench.told(ended(first, MatchEndReason.CLIENT_UNHAPPY), second)
    assert [one.match_id for one in bench.emitted(ReferralFeeCharged)] == [first.match_id, second.match_id]
    assert [one.match_id for one in bench.emitted(ReferralFeeCredited)] == [first.match_id]


@pytest.mark.parametrize("reason", [MatchEndReason.CLIENT_UNHAPPY, MatchEndReason.COMPLETED])
def test_a_closing_because_nobody_came_credits_no_fee_of_an_earlier_match(bench: Bench, reason: MatchEndReason) -> None:
    first = a_match(bench)
    second = matched(first.referral_id, matched_at=first.matched_at + timedelta(hours=1))
    bench.told(ended(first, reason), second, closed(first.referral_id, ClosureReason.NOT_ATTENDED))
    assert [one.match_id for one in bench.emitted(ReferralFeeCredited)] == [second.match_id]


def test_the_fee_is_credited_once_however_often_the_end_is_told(bench: Bench) -> None:
    match = a_match(bench)
    end, closing = ended(match, MatchEndReason.NOT_ATTENDED), closed(match.referral_id, ClosureReason.NOT_ATTENDED)
    bench.told(closing, end, end, closing)
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
    bench.hear(referrals.withdraw, withdrawn(match.referral_id), sequence=9)
    bench.hear(referrals.close, closed(match.referral_id, ClosureReason.NOT_ATTENDED), sequence=8)
    assert bench.emitted(ReferralFeeCredited) == []


def test_a_newer_ending_than_what_took_effect_counts(bench: Bench) -> None:
    match = a_match(bench)
    bench.hear(referrals.withdraw, withdrawn(match.referral_id), sequence=8)
    bench.hear(referrals.close, closed(match.referral_id, ClosureReason.NOT_ATTENDED), sequence=9)
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
    (reminded,) = bench.emitted(MembershipReminded)
    assert (reminded.therapist_id, reminded.outstanding_pence) == (match.therapist_id, 50_00)
    assert reminded.lapses_on == TODAY + timedelta(days=31)
    bench.pass_days(10)
    assert bench.emitted(MembershipLapsed) == []
    bench.pass_days(1)
    (lapsed,) = bench.emitted(MembershipLapsed)
    assert (lapsed.therapist_id, lapsed.lapsed_on) == (match.therapist_id, TODAY + timedelta(days=31))
    assert bench.account(match.therapist_id).membership == "lapsed"


def test_nobody_lapses_unannounced_though_the_timers_fire_late_and_all_at_once(bench: Bench) -> None:
    match = a_match(bench)
    bench.clock.advance(timedelta(days=60))  # the service was down
    bench.settle()
    (reminded,) = bench.emitted(MembershipReminded)
    assert reminded.lapses_on == TODAY + timedelta(days=71)
    assert bench.emitted(MembershipLapsed) == []
    bench.pass_days(10)
    assert bench.emitted(MembershipLapsed) == []
    bench.pass_days(1)
    (lapsed,) = bench.emitted(MembershipLapsed)
    assert (lapsed.therapist_id, lapsed.lapsed_on) == (match.therapist_id, reminded.lapses_on)


def test_nobody_lapses_who_was_never_reminded(bench: Bench) -> None:
    a_match(bench)
    with bench.database.unit() as unit:
        unit.cancel_timer("remind_of_membership", bench.emitted(MembershipStarted)[0].invoice_id)
    bench.pass_days(31)
    assert (len(bench.emitted(MembershipReminded)), bench.emitted(MembershipLapsed)) == (1, [])
    bench.pass_days(11)
    assert len(bench.emitted(MembershipLapsed)) == 1


def test_a_paid_membership_is_not_reminded_of(bench: Bench) -> None:
    match = a_match(bench)
    pay(bench, bench.emitted(MembershipStarted)[0].invoice_id, 50_00)
    bench.pass_days(40)
    assert bench.invoice(match.therapist_id, "membership").reminded_on is None
    assert bench.emitted(MembershipReminded) == bench.emitted(MembershipLapsed) == []


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


def test_an_unknown_therapist_has_no_account(bench: Bench) -> None:
    with pytest.raises(Refused):
        bench.ask(queries.therapist_account, GetTherapistAccount(therapist_id=TherapistId(new_id())))
