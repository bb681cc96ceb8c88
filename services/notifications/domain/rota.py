"""The safeguarding rota: who is alerted first, second and third on which day, with leave and bank holidays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.refused import Refused
from contracts.vocabulary import AlertStep, DutyId, StaffId
from services.notifications.domain.alerts import LADDER


class ImpossiblePeriod(Refused):
    """A period whose last day is before its first."""


@dataclass(kw_only=True, eq=False)
class Staff:
    """Somebody who can be on duty. How they are reached is encrypted under a key of their own."""

    id: StaffId
    contact: bytes


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Somebody's turn, from its first day to its last, in London. It covers bank holidays only if that was agreed."""

    id: DutyId
    staff_id: StaffId
    step: AlertStep
    starts_on: date
    ends_on: date
    bank_holidays: bool = False


@dataclass(frozen=True, kw_only=True)
class Leave:
    """Days on which somebody is not there, whatever turn they have."""

    staff_id: StaffId
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class Gap:
    """A day on which nobody on the rota takes this step."""

    day: date
    step: AlertStep


def check_period(starts_on: date, ends_on: date) -> None:
    """Raises ImpossiblePeriod."""
    if ends_on < starts_on:
        raise ImpossiblePeriod("The last day is before the first. Please look at the dates.")


def on_duty(
    duties: Iterable[Duty], leave: Sequence[Leave], *, step: AlertStep, day: date, is_bank_holiday: bool
) -> StaffId | None:
    """Who is on duty. Of several, whoever's turn began last, so that a later entry overrides an earlier one."""
    turns = [
        duty
        for duty in duties
        if duty.step is step
        and duty.starts_on <= day <= duty.ends_on
        and (duty.bank_holidays or not is_bank_holiday)
        and not any(away.staff_id == duty.staff_id and away.starts_on <= day <= away.ends_on for away in leave)
    ]
    return max(turns, key=lambda duty: (duty.starts_on, duty.id)).staff_id if turns else None


def gaps(
    duties: Sequence[Duty],
    leave: Sequence[Leave],
    *,
    days: Iterable[date],
    is_bank_holiday: Callable[[date], bool],
) -> list[Gap]:
    """The gaps on these days, in order."""
    return [
        Gap(day, step)
        for day in days
        for step in LADDER
        if on_duty(duties, leave, step=step, day=day, is_bank_holiday=is_bank_holiday(day)) is None
    ]
