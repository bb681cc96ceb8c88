"""The safeguarding rota: who is told of a concern on which day, with its gaps, and what can be planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from starlette.responses import Response
from wtforms import SelectField

from chassis.workdays import is_bank_holiday
from contracts.commands import notifications
from contracts.commands.notifications import RotaDay, RotaPlan
from contracts.permissions import Permission
from contracts.sealed import DutyContact
from contracts.vocabulary import AlertStep, StaffId
from web.console.pages import typed
from web.console.pages.commands import YES, CommandForm, OnceForm, choice, give, yes_or_no
from web.console.pages.desk import Desk, names
from web.shared.accounts.domain.accounts import Account
from web.shared.staff.forms import CalendarDay, Said
from web.shared.staff.visit import Visit

DAYS = 28
STEPS = tuple(AlertStep)
NOBODY_CHOSEN = [("", "Choose somebody")]


@dataclass(frozen=True)
class Day:
    """Who takes each step on a day; nobody where there is a gap."""

    day: date
    is_bank_holiday: bool
    who: Mapping[AlertStep, UUID | None]

    @property
    def gaps(self) -> int:
        return sum(1 for staff_id in self.who.values() if staff_id is None)


def overview(desk: Desk, visit: Visit) -> Response:
    """The coming four weeks, and what is planned."""
    days = _days([RotaDay.from_json(one) for one in desk.ask(visit, "notifications", "rota", days=DAYS)])
    plan = _plan(desk, visit)
    ids = {*plan.staff, *(one.staff_id for one in plan.duties), *(one.staff_id for one in plan.leave)}
    ids |= {StaffId(staff_id) for day in days for staff_id in day.who.values() if staff_id}
    may_change = Permission.MANAGE_ROTA in visit.me.permissions
    return visit.page(
        "rota.html",
        days=days,
        steps=STEPS,
        plan=plan,
        gaps=sum(day.gaps for day in days),
        names=names(visit, ids),
        changes=CHANGES if may_change else (),
        may_change=may_change,
    )


def change(desk: Desk, step: CommandForm, visit: Visit) -> Response:
    """Shows a form of the rota's, or changes the rota."""
    form = visit.form(step.form, command_id=uuid4())
    if isinstance(form, KnownForm):
        plan = _plan(desk, visit)
        called = names(visit, plan.staff)
        form.staff.choices = NOBODY_CHOSEN + [(str(one), called.get(one, UNKNOWN)) for one in plan.staff]
    elif isinstance(form, StaffContactForm):
        form.staff.choices = NOBODY_CHOSEN + [(str(one.id), one.name) for one in _accounts(visit)]
    return give(desk, visit, step, form, back="/rota", about=visit)


class PersonForm(OnceForm):
    staff = SelectField("Who?", [Said("Choose somebody.")])


class StaffContactForm(PersonForm):
    """Somebody with an account, and how they are told of a concern."""

    email = typed.email(
        "E-mail address", needed=False, description="Leave it empty for the one that they sign in with."
    )
    telephone = typed.telephone("Telephone", description="A mobile is told by text message, too.")


class KnownForm(PersonForm):
    """Somebody who can be put on the rota already."""


class PeriodForm(KnownForm):
    starts_on = CalendarDay("First day", [Said("Say on which day it begins.")])
    ends_on = CalendarDay("Last day", [Said("Say on which day it ends.")])


class DutyForm(PeriodForm):
    step = choice(AlertStep, "As what?")
    bank_holidays = yes_or_no("On bank holidays, too?")


def _period(desk: Desk, visit: Visit, form: Any) -> dict[str, Any]:
    return {"staff_id": form.staff.data, "starts_on": form.starts_on.data, "ends_on": form.ends_on.data}


def _duty(desk: Desk, visit: Visit, form: Any) -> dict[str, Any]:
    bank_holidays = form.bank_holidays.data == YES
    return {**_period(desk, visit, form), "step": form.step.data, "bank_holidays": bank_holidays}


def _contact(desk: Desk, visit: Visit, form: Any) -> dict[str, Any]:
    account = next(one for one in _accounts(visit) if str(one.id) == form.staff.data)
    contact = DutyContact(name=account.name, email=form.email.value or account.email, telephone=form.telephone.value)
    return {"staff_id": account.id, "contact": desk.keyring.seal("notifications", contact)}


PROBLEMS = {"ImpossiblePeriod": "ends_on", "UnknownStaff": "staff"}
CHANGES = (
    CommandForm("duty", "notifications", "plan_duty", notifications.PlanDuty, "Plan a turn", "Put it on the rota",
        "Of several turns on a day the one counts that began last.", DutyForm, _duty, "duty_planned",
        problems=PROBLEMS),
    CommandForm("leave", "notifications", "plan_leave", notifications.PlanLeave, "Plan leave", "Put it on the rota",
        "On these days they are told of no concern, whatever turn they have. Leave can’t be taken back.", PeriodForm,
        _period, "leave_planned", problems=PROBLEMS),
    CommandForm("staff", "notifications", "keep_staff", notifications.KeepStaff, "Say how somebody is reached",
        "Save it", "Who has an account can be put on the rota. What you write takes the place of all that we have, "
        "is stored encrypted, and is shown nowhere.", StaffContactForm, _contact, "staff_kept", once=False),
)  # fmt: skip
CANCEL = CommandForm(
    "cancel", "notifications", "cancel_duty", notifications.CancelDuty, "Cancel a turn", "Cancel it",
    "Whoever else has a turn on these days takes it. If nobody has, alerts go to the safeguarding mailbox.",
    OnceForm, lambda desk, visit, form: {"duty_id": visit.params["duty"]}, "duty_cancelled", kind="button-danger",
)  # fmt: skip
UNKNOWN = "somebody without an account"


def _plan(desk: Desk, visit: Visit) -> RotaPlan:
    return RotaPlan.from_json(desk.ask(visit, "notifications", "rota_plan"))


def _accounts(visit: Visit) -> list[Account]:
    """Everybody of the charity who can sign in and has a role, by name."""
    with visit.app.accounts.reading() as work:
        return sorted(work.accounts.holders(*visit.app.accounts.roles), key=lambda account: account.name.casefold())


def _days(told: list[RotaDay]) -> list[Day]:
    days: dict[date, dict[AlertStep, UUID | None]] = {}
    for one in told:
        days.setdefault(one.day, {})[one.step] = one.staff_id
    return [Day(day, is_bank_holiday(day), who) for day, who in days.items()]
