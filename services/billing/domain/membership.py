"""Membership: due on a therapist's first referral and each year after; unpaid beyond the grace period it lapses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Self

from contracts.vocabulary import InvoiceId, TherapistId
from services.billing.domain.days import year_after


class MembershipState(StrEnum):
    CURRENT = "current"
    LAPSED = "lapsed"


@dataclass(frozen=True, kw_only=True)
class MembershipPolicy:
    """What the charity decided for every membership."""

    fee_pence: int
    grace_days: int
    reminder_days_before_lapse: int

    def last_day_of_grace(self, *, issued_on: date) -> date:
        return issued_on + timedelta(days=self.grace_days)

    def reminder_on(self, *, issued_on: date) -> date:
        """When to remind of an unpaid fee: before it would lapse, never before it was asked for."""
        return max(
            issued_on, self.last_day_of_grace(issued_on=issued_on) - timedelta(days=self.reminder_days_before_lapse)
        )

    @property
    def notice_days(self) -> int:
        """Between the reminder and the lapse, so that nobody lapses unannounced."""
        return min(self.grace_days, self.reminder_days_before_lapse)

    def last_day_after_notice(self, *, issued_on: date, reminded_on: date) -> date:
        """The last day to pay: of the grace period, or later if the reminder went out late."""
        return max(self.last_day_of_grace(issued_on=issued_on), reminded_on + timedelta(days=self.notice_days))


@dataclass(kw_only=True, eq=False)
class Membership:
    """One therapist's membership, in the year it is in. `invoice_id` is the fee of that year."""

    therapist_id: TherapistId
    starts_on: date
    invoice_id: InvoiceId
    state: MembershipState = MembershipState.CURRENT

    @classmethod
    def begin(cls, *, therapist_id: TherapistId, on: date, invoice_id: InvoiceId) -> Self:
        """The first referral makes the first year's fee due."""
        return cls(therapist_id=therapist_id, starts_on=on, invoice_id=invoice_id)

    @property
    def renews_on(self) -> date:
        return year_after(self.starts_on)

    @property
    def ends_on(self) -> date:
        """The last day of the year."""
        return self.renews_on - timedelta(days=1)

    def may_renew(self, *, on: date) -> bool:
        """Whether another year begins: the year is over, and the membership has not lapsed meanwhile."""
        return self.state is MembershipState.CURRENT and on >= self.renews_on

    def renew(self, *, invoice_id: InvoiceId) -> None:
        """Begins the next year on the day after the last, however late that is noticed."""
        self.starts_on, self.invoice_id = self.renews_on, invoice_id

    def may_lapse(self, *, invoice_id: InvoiceId, is_settled: bool) -> bool:
        """Whether the grace period that has run out was for this year's fee, and it is still unpaid."""
        return self.state is MembershipState.CURRENT and invoice_id == self.invoice_id and not is_settled

    def lapse(self) -> None:
        self.state = MembershipState.LAPSED

    def is_revived_by(self, *, invoice_id: InvoiceId, is_settled: bool) -> bool:
        """Whether paying this invoice brings a lapsed membership back."""
        return self.state is MembershipState.LAPSED and invoice_id == self.invoice_id and is_settled

    def revive(self, *, on: date) -> None:
        """The fee that was paid late is for a year from the day it was paid: nobody pays for a year without offers."""
        self.state, self.starts_on = MembershipState.CURRENT, on
