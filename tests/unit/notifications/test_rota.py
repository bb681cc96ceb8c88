"""The safeguarding rota: whose turn it is, with leave and bank holidays, and what the office is told of gaps."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import new_id
from chassis.workdays import is_bank_holiday
from contracts.commands.notifications import (
    CancelDuty,
    GetRota,
    GetRotaPlan,
    KeepStaff,
    PlanDuty,
    PlanLeave,
    RotaDay,
    RotaPlan,
)
from contracts.events.intake import SafeguardingConcernRaised
from contracts.events.notifications import MessageFailed
from contracts.sealed import DutyContact
from contracts.vocabulary import (
    AlertStep,
    ConcernCategory,
    ConcernId,
    DutyId,
    FailureReason,
    ReferralId,
    Severity,
    StaffId,
)
from services.notifications.domain.rota import Duty, Gap, ImpossiblePeriod, Leave, gaps, on_duty
from services.notifications.errors import IdentityUsedUp, NotReadable, UnknownDuty, UnknownStaff
from services.notifications.handlers import alerts, queries, rota
from tests.unit.notifications.conftest import MONDAY_10, SETTINGS, Desk, body

LEAD = AlertStep.DUTY_LEAD
MONDAY = date(2026, 11, 23)
CHRISTMAS = date(2026, 12, 25)
ANN, BEN = StaffId(new_id()), StaffId(new_id())


def a_duty(staff_id: StaffId, starts_on: date, ends_on: date, **more: Any) -> Duty:
    return Duty(id=DutyId(new_id()), staff_id=staff_id, step=LEAD, starts_on=starts_on, ends_on=ends_on, **more)


def whose(duties: list[Duty], leave: list[Leave], day: date) -> StaffId | None:
    return on_duty(duties, leave, step=LEAD, day=day, is_bank_holiday=is_bank_holiday(day))


def test_a_turn_holds_from_its_first_day_to_its_last() -> None:
    duties = [a_duty(ANN, MONDAY, MONDAY + timedelta(days=6))]
    days = [MONDAY + timedelta(days=number) for number in range(-1, 8)]
    assert [whose(duties, [], day) for day in days] == [None, *[ANN] * 7, None]


def test_the_turn_that_began_last_goes_before_an_older_one() -> None:
    duties = [a_duty(BEN, MONDAY, MONDAY), a_duty(ANN, MONDAY - timedelta(days=30), MONDAY + timedelta(days=30))]
    assert whose(duties, [], MONDAY) == BEN
    assert whose(duties, [], MONDAY + timedelta(days=1)) == ANN


def test_whoever_is_on_leave_is_not_alerted() -> None:
    duties = [a_duty(ANN, MONDAY, CHRISTMAS), a_duty(BEN, date(2026, 11, 1), CHRISTMAS)]
    leave = [Leave(staff_id=ANN, starts_on=MONDAY, ends_on=MONDAY)]
    assert whose(duties, leave, MONDAY) == BEN
    assert whose(duties, leave, MONDAY + timedelta(days=1)) == ANN


def test_a_bank_holiday_is_in_a_turn_only_if_that_was_agreed() -> None:
    duties = [a_duty(ANN, MONDAY, CHRISTMAS)]
    assert whose(duties, [], CHRISTMAS) is None
    assert whose([*duties, a_duty(BEN, CHRISTMAS, CHRISTMAS, bank_holidays=True)], [], CHRISTMAS) == BEN


days = st.dates(date(2026, 11, 1), date(2027, 1, 31))
duties = st.builds(
    lambda who, a, b, holidays: a_duty(who, min(a, b), max(a, b), bank_holidays=holidays),
    st.sampled_from([ANN, BEN]),
    days,
    days,
    st.booleans(),
)
leaves = st.builds(
    lambda who, a, b: Leave(staff_id=who, starts_on=min(a, b), ends_on=max(a, b)),
    st.sampled_from([ANN, BEN]),
    days,
    days,
)


@given(planned=st.lists(duties, max_size=5), leave=st.lists(leaves, max_size=4), day=days)
def test_nobody_is_alerted_out_of_turn_on_leave_or_on_a_holiday_they_did_not_agree_to(
    planned: list[Duty], leave: list[Leave], day: date
) -> None:
    found = whose(planned, leave, day)
    here = [
        duty
        for duty in planned
        if duty.starts_on <= day <= duty.ends_on
        and not any(one.staff_id == duty.staff_id and one.starts_on <= day <= one.ends_on for one in leave)
        and (duty.bank_holidays or not is_bank_holiday(day))
    ]
    assert (found is None) == (not here)
    assert found is None or found in {duty.staff_id for duty in here}
    told = gaps(planned, leave, days=[day], is_bank_holiday=is_bank_holiday)
    assert (Gap(day, LEAD) in told) == (found is None)


def keep(desk: Desk, staff_id: StaffId, *, email: str, telephone: str | None = None) -> None:
    contact = DutyContact(name="Ann Invented", email=email, telephone=telephone)
    sealed = desk.keyring.seal("notifications", contact)
    desk.bench.ask(rota.save_staff, KeepStaff(staff_id=staff_id, contact=sealed))


def plan(desk: Desk, staff_id: StaffId, starts_on: date, ends_on: date, step: AlertStep = LEAD) -> DutyId:
    wanted = PlanDuty(staff_id=staff_id, step=step, starts_on=starts_on, ends_on=ends_on)
    planned: DutyId = desk.bench.ask(rota.plan_duty, wanted).duty_id
    return planned


def raise_concern(desk: Desk) -> None:
    desk.bench.hear(alerts.raise_alert, a_concern())
    desk.run()


def a_concern() -> SafeguardingConcernRaised:
    return SafeguardingConcernRaised(
        concern_id=ConcernId(new_id()),
        referral_id=ReferralId(new_id()),
        severity=Severity.IMMEDIATE,
        category=ConcernCategory.CHILD_AT_RISK,
        raised_at=MONDAY_10,
    )


def test_an_alert_goes_to_whoever_is_on_the_rota_by_every_channel_they_have(desk: Desk) -> None:
    keep(desk, ANN, email="ann@example.org", telephone="07700 900456")
    plan(desk, ANN, MONDAY, MONDAY)
    raise_concern(desk)
    assert [message["To"] for message in desk.mail.sent] == ["ann@example.org"]
    (text,) = desk.texts.sent
    assert text.to == "+447700900456"
    assert "take it in hand" in text.text


def test_outside_every_turn_the_mailbox_of_the_settings_is_written_to(desk: Desk) -> None:
    keep(desk, ANN, email="ann@example.org")
    planned = plan(desk, ANN, MONDAY, MONDAY)
    desk.bench.ask(rota.cancel_duty, CancelDuty(duty_id=planned))
    raise_concern(desk)
    assert [message["To"] for message in desk.mail.sent] == [SETTINGS.safeguarding[LEAD].email]


def test_leave_that_is_planned_later_hands_the_turn_on(desk: Desk) -> None:
    for who, email in ((ANN, "ann@example.org"), (BEN, "ben@example.org")):
        keep(desk, who, email=email)
    plan(desk, BEN, date(2026, 11, 1), CHRISTMAS)
    plan(desk, ANN, MONDAY, CHRISTMAS)
    desk.bench.ask(rota.plan_leave, PlanLeave(staff_id=ANN, starts_on=MONDAY, ends_on=MONDAY))
    raise_concern(desk)
    assert [message["To"] for message in desk.mail.sent] == ["ben@example.org"]


def test_a_new_address_is_used_from_then_on(desk: Desk) -> None:
    keep(desk, ANN, email="old@example.org")
    keep(desk, ANN, email="new@example.org")
    plan(desk, ANN, MONDAY, MONDAY)
    raise_concern(desk)
    assert [message["To"] for message in desk.mail.sent] == ["new@example.org"]


def test_whoever_gives_their_telephone_up_meanwhile_is_sent_no_text(desk: Desk) -> None:
    keep(desk, ANN, email="ann@example.org", telephone="07700 900456")
    plan(desk, ANN, MONDAY, MONDAY)
    desk.bench.hear(alerts.raise_alert, a_concern())
    keep(desk, ANN, email="ann@example.org")
    desk.run()
    assert [message["To"] for message in desk.mail.sent] == ["ann@example.org"]
    assert desk.texts.sent == []
    assert [event.reason for event in desk.bench.emitted(MessageFailed)] == [FailureReason.NO_ADDRESS]


def test_the_office_is_told_every_day_of_the_gaps_ahead_and_of_nothing_else(desk: Desk) -> None:
    keep(desk, ANN, email="ann@example.org")
    for step in AlertStep:
        plan(desk, ANN, MONDAY, date(2026, 12, 31), step)
    for _ in range(26):
        desk.pass_time(days=1)  # to the 19th of December, a Saturday
    subjects = [message["Subject"] for message in desk.mail.to(SETTINGS.office.address)]
    assert subjects == ["Nobody is on duty on some of the coming days"]
    told = body(desk.mail.sent[0])
    assert "Safeguarding lead on duty: 25 December 2026" in told
    assert "Trustee: 25 December 2026" in told
    assert "24 December" not in told
    desk.pass_time(days=1)
    assert len(desk.mail.sent) == 2


def test_a_charity_that_keeps_no_rota_is_told_of_no_gaps(desk: Desk) -> None:
    desk.pass_time(days=30)
    assert desk.mail.sent == []


def test_the_rota_can_be_looked_at(desk: Desk) -> None:
    keep(desk, ANN, email="ann@example.org")
    plan(desk, ANN, MONDAY + timedelta(days=1), MONDAY + timedelta(days=1))
    shown: list[RotaDay] = desk.bench.ask(queries.show_rota, GetRota(days=2))
    assert [(one.day, one.step, one.staff_id) for one in shown if one.staff_id] == [
        (MONDAY + timedelta(days=1), LEAD, ANN)
    ]
    assert len(shown) == 6


def test_what_is_planned_can_be_looked_at_with_what_it_is_cancelled_by(desk: Desk) -> None:
    keep(desk, ANN, email="ann@example.org")
    keep(desk, BEN, email="ben@example.org")
    later = plan(desk, ANN, CHRISTMAS, CHRISTMAS)
    sooner = plan(desk, BEN, MONDAY, MONDAY + timedelta(days=6))
    plan(desk, BEN, MONDAY - timedelta(days=2), MONDAY - timedelta(days=1))
    desk.bench.ask(rota.plan_leave, PlanLeave(staff_id=ANN, starts_on=MONDAY, ends_on=CHRISTMAS))
    shown: RotaPlan = desk.bench.ask(queries.show_rota_plan, GetRotaPlan())
    assert [(one.duty_id, one.staff_id) for one in shown.duties] == [(sooner, BEN), (later, ANN)]
    assert [(one.staff_id, one.ends_on) for one in shown.leave] == [(ANN, CHRISTMAS)]
    assert set(shown.staff) == {ANN, BEN}


def test_refuses_what_can_t_be_on_a_rota(desk: Desk) -> None:
    with pytest.raises(UnknownStaff):
        plan(desk, ANN, MONDAY, MONDAY)
    keep(desk, ANN, email="ann@example.org")
    with pytest.raises(ImpossiblePeriod):
        plan(desk, ANN, CHRISTMAS, MONDAY)
    with pytest.raises(UnknownDuty):
        desk.bench.ask(rota.cancel_duty, CancelDuty(duty_id=DutyId(new_id())))
    with pytest.raises(NotReadable):
        desk.bench.ask(rota.save_staff, KeepStaff(staff_id=BEN, contact="not sealed"))


def test_nobody_is_kept_under_an_identity_that_was_erased(desk: Desk) -> None:
    with desk.bench.database.unit() as unit:
        unit.dependencies.vault.destroy(unit.session, ANN, at=MONDAY_10)
    with pytest.raises(IdentityUsedUp, match="use a new one"):
        keep(desk, ANN, email="ann@example.org")


def test_who_is_on_the_staff_is_not_in_the_clear_in_the_database(desk: Desk, database_file: Any) -> None:
    keep(desk, ANN, email="ann@example.org", telephone="07700 900456")
    content = b"".join(path.read_bytes() for path in database_file.parent.glob("notifications.db*"))
    assert ANN.hex.encode() in content
    assert not any(word in content for word in (b"ann@example.org", b"900456", b"Invented"))
