"""The books: every journal sums to zero, within each fund."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import new_id
from contracts.vocabulary import FundId, TherapistId
from services.billing.domain import ledger
from services.billing.domain.ledger import Account, AccountKind, Entry, Journal, JournalKind, MixesFunds, Unbalanced

FUNDS = [FundId(new_id()) for _ in range(2)]
THERAPISTS = [TherapistId(new_id()) for _ in range(2)]
PENCE = st.integers(min_value=1, max_value=10_000_000_00)
BANK = Account(AccountKind.BANK)

JOURNALS: dict[Callable[..., Journal], dict[str, Any]] = {
    ledger.membership_fee_charged: {"invoice_id": new_id(), "therapist_id": THERAPISTS[0]},
    ledger.referral_fee_charged: {"match_id": new_id(), "therapist_id": THERAPISTS[0]},
    ledger.referral_fee_credited: {"credit_note_id": new_id(), "therapist_id": THERAPISTS[1]},
    ledger.referral_fee_credit_reversed: {"credit_note_id": new_id(), "therapist_id": THERAPISTS[1]},
    ledger.payment_received: {"payment_id": new_id(), "therapist_id": THERAPISTS[0]},
    ledger.payment_reversed: {"payment_id": new_id(), "therapist_id": THERAPISTS[0]},
    ledger.fund_opened: {"fund_id": FUNDS[0]},
    ledger.subsidy_committed: {"cause_id": new_id(), "fund_id": FUNDS[0]},
    ledger.subsidy_drawn_down: {"session_id": new_id(), "fund_id": FUNDS[1], "therapist_id": THERAPISTS[1]},
    ledger.subsidy_drawdown_reversed: {"session_id": new_id(), "fund_id": FUNDS[1], "therapist_id": THERAPISTS[1]},
    ledger.subsidy_released: {"cause_id": new_id(), "fund_id": FUNDS[1]},
}

journals = st.builds(lambda make, pence: make(**JOURNALS[make], pence=pence), st.sampled_from(list(JOURNALS)), PENCE)


@given(journals)
def test_every_journal_sums_to_zero(journal: Journal) -> None:
    assert sum(entry.pence for entry in journal.entries) == 0


@given(journals)
def test_no_journal_moves_money_out_of_a_fund(journal: Journal) -> None:
    assert len({entry.account.fund_id for entry in journal.entries}) == 1


@given(st.lists(journals, max_size=40))
def test_any_books_balance_fund_by_fund(posted: list[Journal]) -> None:
    assert ledger.trial_balance(posted).is_balanced


def test_every_kind_of_journal_has_its_function() -> None:
    assert {make(**fields, pence=1).kind for make, fields in JOURNALS.items()} == set(JournalKind)


@pytest.mark.parametrize("make", JOURNALS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("pence", [0, -1])
def test_an_amount_is_above_nothing(make: Callable[..., Journal], pence: int) -> None:
    with pytest.raises(Unbalanced):
        make(**JOURNALS[make], pence=pence)


def test_refuses_a_journal_that_is_off_balance() -> None:
    income = Account(AccountKind.MEMBERSHIP_INCOME)
    with pytest.raises(Unbalanced, match="1 pence off"):
        Journal(JournalKind.PAYMENT_RECEIVED, new_id(), (Entry(BANK, 100), Entry(income, -99)))


def test_refuses_a_journal_that_balances_only_across_funds() -> None:
    restricted = Account(AccountKind.BANK, fund_id=FUNDS[0])
    with pytest.raises(MixesFunds):
        Journal(JournalKind.PAYMENT_RECEIVED, new_id(), (Entry(BANK, 100), Entry(restricted, -100)))


def test_refuses_a_journal_with_an_empty_entry() -> None:
    with pytest.raises(Unbalanced):
        Journal(JournalKind.PAYMENT_RECEIVED, new_id(), (Entry(BANK, 0), Entry(BANK, 0)))


def test_refuses_a_journal_of_one_entry() -> None:
    with pytest.raises(Unbalanced):
        Journal(JournalKind.PAYMENT_RECEIVED, new_id(), (Entry(BANK, 5),))


def test_a_fee_charged_and_paid_leaves_its_income_in_the_bank() -> None:
    invoice, therapist = new_id(), THERAPISTS[0]
    charged = ledger.membership_fee_charged(invoice_id=invoice, therapist_id=therapist, pence=50_00)
    paid = ledger.payment_received(payment_id=new_id(), therapist_id=therapist, pence=50_00)
    totals = ledger.trial_balance([charged, paid]).totals
    assert totals == {
        Account(AccountKind.THERAPIST_RECEIVABLE, therapist_id=therapist): 0,
        Account(AccountKind.MEMBERSHIP_INCOME): -50_00,
        BANK: 50_00,
    }


def test_books_with_one_side_missing_are_not_balanced() -> None:
    assert not ledger.TrialBalance({BANK: 100}).is_balanced


def test_books_that_balance_only_across_funds_are_not_balanced() -> None:
    assert not ledger.TrialBalance({BANK: 100, Account(AccountKind.FUND_AVAILABLE, fund_id=FUNDS[0]): -100}).is_balanced
