"""The books: double entry in integer pence, debits positive and credits negative.

Every account belongs to one fund or to the charity's unrestricted money, and every journal sums to zero within each of
them. So the books of a restricted fund balance by themselves and no journal can move its money into another's.
Source: Charities SORP (FRS 102), module 2, fund accounting: restricted funds are accounted for separately.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from contracts.vocabulary import CreditNoteId, FundId, InvoiceId, MatchId, PaymentId, TherapistId


class Unbalanced(Exception):
    """A journal whose debits are not its credits. A fault of the program, never of a person."""


class MixesFunds(Unbalanced):
    """A journal that sums to zero only across funds: it would move restricted money out of its fund."""


class AccountKind(StrEnum):
    BANK = "bank"
    THERAPIST_RECEIVABLE = "therapist_receivable"
    MEMBERSHIP_INCOME = "membership_income"
    REFERRAL_FEE_INCOME = "referral_fee_income"
    FUND_AVAILABLE = "fund_available"
    FUND_COMMITTED = "fund_committed"
    THERAPIST_PAYABLE = "therapist_payable"


class JournalKind(StrEnum):
    MEMBERSHIP_FEE_CHARGED = "membership_fee_charged"
    REFERRAL_FEE_CHARGED = "referral_fee_charged"
    REFERRAL_FEE_CREDITED = "referral_fee_credited"
    REFERRAL_FEE_CREDIT_REVERSED = "referral_fee_credit_reversed"
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_REVERSED = "payment_reversed"
    FUND_OPENED = "fund_opened"
    SUBSIDY_COMMITTED = "subsidy_committed"
    SUBSIDY_DRAWN_DOWN = "subsidy_drawn_down"
    SUBSIDY_DRAWDOWN_REVERSED = "subsidy_drawdown_reversed"
    SUBSIDY_RELEASED = "subsidy_released"


@dataclass(frozen=True)
class Account:
    """An account of the ledger; one without a fund is unrestricted."""

    kind: AccountKind
    therapist_id: TherapistId | None = None
    fund_id: FundId | None = None


@dataclass(frozen=True)
class Entry:
    account: Account
    pence: int


@dataclass(frozen=True)
class Journal:
    """One event in the books. Its kind and source are its permanent business key: it is posted once, ever.

    Raises Unbalanced, or MixesFunds, when it is made.
    """

    kind: JournalKind
    source_id: UUID
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if len(self.entries) < 2 or any(entry.pence == 0 for entry in self.entries):
            raise Unbalanced(f"{self.kind} has an entry of nothing, or fewer than two entries")
        if off := sum(entry.pence for entry in self.entries):
            raise Unbalanced(f"{self.kind} is {off} pence off balance")
        within: Counter[FundId | None] = Counter()
        for entry in self.entries:
            within[entry.account.fund_id] += entry.pence
        if any(within.values()):
            raise MixesFunds(f"{self.kind} moves money between funds")


def membership_fee_charged(*, invoice_id: InvoiceId, therapist_id: TherapistId, pence: int) -> Journal:
    return _move(
        JournalKind.MEMBERSHIP_FEE_CHARGED,
        invoice_id,
        pence,
        debit=_receivable(therapist_id),
        credit=Account(AccountKind.MEMBERSHIP_INCOME),
    )


def referral_fee_charged(*, match_id: MatchId, therapist_id: TherapistId, pence: int) -> Journal:
    return _move(
        JournalKind.REFERRAL_FEE_CHARGED,
        match_id,
        pence,
        debit=_receivable(therapist_id),
        credit=Account(AccountKind.REFERRAL_FEE_INCOME),
    )


def referral_fee_credited(*, credit_note_id: CreditNoteId, therapist_id: TherapistId, pence: int) -> Journal:
    return _move(
        JournalKind.REFERRAL_FEE_CREDITED,
        credit_note_id,
        pence,
        debit=Account(AccountKind.REFERRAL_FEE_INCOME),
        credit=_receivable(therapist_id),
    )


def referral_fee_credit_reversed(*, credit_note_id: CreditNoteId, therapist_id: TherapistId, pence: int) -> Journal:
    return _move(
        JournalKind.REFERRAL_FEE_CREDIT_REVERSED,
        credit_note_id,
        pence,
        debit=_receivable(therapist_id),
        credit=Account(AccountKind.REFERRAL_FEE_INCOME),
    )


def payment_received(*, payment_id: PaymentId, therapist_id: TherapistId, pence: int) -> Journal:
    return _move(
        JournalKind.PAYMENT_RECEIVED,
        payment_id,
        pence,
        debit=Account(AccountKind.BANK),
        credit=_receivable(therapist_id),
    )


def payment_reversed(*, payment_id: PaymentId, therapist_id: TherapistId, pence: int) -> Journal:
    return _move(
        JournalKind.PAYMENT_REVERSED,
        payment_id,
        pence,
        debit=_receivable(therapist_id),
        credit=Account(AccountKind.BANK),
    )


def fund_opened(*, fund_id: FundId, pence: int) -> Journal:
    return _move(
        JournalKind.FUND_OPENED,
        fund_id,
        pence,
        debit=Account(AccountKind.BANK, fund_id=fund_id),
        credit=_available(fund_id),
    )


def subsidy_committed(*, cause_id: UUID, fund_id: FundId, pence: int) -> Journal:
    """`cause_id` is the award, or the session reported after what was reserved for it had gone back."""
    return _move(
        JournalKind.SUBSIDY_COMMITTED,
        cause_id,
        pence,
        debit=_available(fund_id),
        credit=_committed(fund_id),
    )


def subsidy_drawn_down(*, session_id: UUID, fund_id: FundId, therapist_id: TherapistId, pence: int) -> Journal:
    """A subsidised session was attended: the fund owes the therapist its part of the fee."""
    return _move(
        JournalKind.SUBSIDY_DRAWN_DOWN,
        session_id,
        pence,
        debit=_committed(fund_id),
        credit=Account(AccountKind.THERAPIST_PAYABLE, therapist_id=therapist_id, fund_id=fund_id),
    )


def subsidy_drawdown_reversed(*, session_id: UUID, fund_id: FundId, therapist_id: TherapistId, pence: int) -> Journal:
    return _move(
        JournalKind.SUBSIDY_DRAWDOWN_REVERSED,
        session_id,
        pence,
        debit=Account(AccountKind.THERAPIST_PAYABLE, therapist_id=therapist_id, fund_id=fund_id),
        credit=_committed(fund_id),
    )


def subsidy_released(*, cause_id: UUID, fund_id: FundId, pence: int) -> Journal:
    """`cause_id` is the award when it ends, the match whose lower fee needs less of it, or the session taken back."""
    return _move(
        JournalKind.SUBSIDY_RELEASED,
        cause_id,
        pence,
        debit=_committed(fund_id),
        credit=_available(fund_id),
    )


@dataclass(frozen=True)
class TrialBalance:
    """What stands on each account, in pence: debits positive, credits negative."""

    totals: dict[Account, int]

    @property
    def is_balanced(self) -> bool:
        within: Counter[FundId | None] = Counter()
        for account, pence in self.totals.items():
            within[account.fund_id] += pence
        return not any(within.values())


def trial_balance(journals: Iterable[Journal]) -> TrialBalance:
    totals: Counter[Account] = Counter()
    for journal in journals:
        for entry in journal.entries:
            totals[entry.account] += entry.pence
    return TrialBalance(dict(totals))


def _move(kind: JournalKind, source_id: UUID, pence: int, *, debit: Account, credit: Account) -> Journal:
    if pence <= 0:
        raise Unbalanced(f"{kind} of {pence} pence: an amount is above nothing, its direction is in the journal's name")
    return Journal(kind, source_id, (Entry(debit, pence), Entry(credit, -pence)))


def _receivable(therapist_id: TherapistId) -> Account:
    return Account(AccountKind.THERAPIST_RECEIVABLE, therapist_id=therapist_id)


def _available(fund_id: FundId) -> Account:
    return Account(AccountKind.FUND_AVAILABLE, fund_id=fund_id)


def _committed(fund_id: FundId) -> Account:
    return Account(AccountKind.FUND_COMMITTED, fund_id=fund_id)
