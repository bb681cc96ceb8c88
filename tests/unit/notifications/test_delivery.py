"""Sending: retries, the same Message-ID every time, and a person where nothing else helps."""

from __future__ import annotations

import mailbox
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.store.schedule import Scheduler, SideEffect
from chassis.testing import DueTimer
from contracts.events.notifications import MessageFailed, MessageSent
from contracts.vocabulary import FailureReason, ReferralId, TherapistId
from services.notifications.domain.messages import State
from services.notifications.gateways.email import MaildirMailer
from services.notifications.handlers import office_messages, sending, therapist_messages
from services.notifications.store import messages
from tests.support.statements import listening
from tests.unit.notifications import facts
from tests.unit.notifications.conftest import EVENING, MONDAY_10, OPEN_EMAIL, SETTINGS, Desk, body

ADDRESS, OFFICE = "robin@example.org", SETTINGS.office.address


def test_a_crash_between_sending_and_recording_repeats_the_same_message_id(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id)
    timer = DueTimer(str(desk.messages(referral_id)[0].message_id), MONDAY_10, {})
    with desk.bench.database.reading() as unit:
        sending.deliver(unit, timer)
    desk.run()
    first, second = desk.mail.to(ADDRESS)
    assert first["Message-ID"] == second["Message-ID"]
    assert str(desk.messages(referral_id)[0].message_id) in first["Message-ID"]
    assert len(desk.bench.emitted(MessageSent)) == 1


def test_mail_says_that_no_person_wrote_it_and_when_by_the_chassis_s_clock(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id)
    desk.run()
    (message,) = desk.mail.sent
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] == "Mon, 23 Nov 2026 10:00:00 +0000"
    assert message.get_content_type() == "multipart/alternative"


def test_a_message_that_cannot_go_now_is_tried_again(desk: Desk, referral_id: ReferralId) -> None:
    desk.mail.down = True
    desk.release(referral_id)
    desk.run()
    assert desk.states(referral_id) == {"request_received": "queued"}
    desk.mail.down = False
    desk.pass_time(minutes=1)
    assert desk.states(referral_id) == {"request_received": "sent"}


def test_after_the_last_attempt_the_message_is_given_up_and_the_office_told(
    desk: Desk, referral_id: ReferralId
) -> None:
    desk.mail.down = True
    desk.release(referral_id)
    for _ in range(8):
        desk.pass_time(minutes=1)
    (failed,) = desk.bench.emitted(MessageFailed)
    assert failed.reason is FailureReason.UNREACHABLE
    desk.mail.down = False
    desk.pass_time(minutes=1)
    (told,) = desk.mail.sent
    assert told["To"] == OFFICE
    assert str(failed.message_id) in body(told)


def test_a_refusal_for_good_is_not_tried_again(desk: Desk, referral_id: ReferralId) -> None:
    desk.mail.refuses.add(ADDRESS)
    desk.release(referral_id)
    desk.run()
    (failed,) = desk.bench.emitted(MessageFailed)
    assert failed.reason is FailureReason.REJECTED
    desk.mail.refuses.clear()
    desk.pass_time(days=1)
    assert desk.mail.to(ADDRESS) == []


def test_a_message_to_the_office_that_fails_is_not_reported_to_the_office(desk: Desk, referral_id: ReferralId) -> None:
    desk.mail.refuses.add(OFFICE)
    desk.bench.hear(office_messages.notify_office_of_stall, facts.stalled(referral_id))
    desk.run()
    assert len(desk.bench.emitted(MessageFailed)) == 1
    assert [message.template for message in desk.messages(referral_id)] == ["matching_stalled"]


def test_what_was_settled_meanwhile_is_neither_sent_nor_recorded_twice(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id)
    desk.run()
    message_id = desk.messages(referral_id)[0].message_id
    timer = DueTimer(str(message_id), MONDAY_10, {})
    with desk.bench.database.reading() as unit:
        outcome = sending.deliver(unit, timer)
    with desk.bench.database.unit() as unit:
        sending.record_sent(unit, timer, outcome)
        sending.record_failed(unit, timer)
        assert unit.emitted_events == []
        assert messages.get_message(unit.session, message_id).state is State.SENT
    assert len(desk.mail.sent) == 1


def test_the_chassis_s_own_schedule_sends_it_at_the_safe_hour(
    desk: Desk, referral_id: ReferralId, tmp_path: Path
) -> None:
    database = desk.bench.database
    scheduler = Scheduler(database, database.unit)
    effect = SideEffect("send_message", sending.deliver, sending.record_sent, sending.record_failed)
    desk.release(referral_id, EVENING)
    assert scheduler.due(["send_message"]) == []
    desk.bench.clock.advance(timedelta(hours=8))
    for timer in scheduler.due(["send_message"]):
        scheduler.perform(effect, [timer])
    assert len(desk.mail.to(ADDRESS)) == 1
    assert desk.states(referral_id) == {"request_received": "sent"}
    assert scheduler.due(["send_message"]) == []


def test_the_chassis_s_own_schedule_puts_a_failed_message_off(desk: Desk, therapist_id: TherapistId) -> None:
    database = desk.bench.database
    scheduler = Scheduler(database, database.unit)
    effect = SideEffect("send_message", sending.deliver, sending.record_sent, sending.record_failed)
    desk.mail.down = True
    desk.admit(therapist_id)
    desk.bench.hear(therapist_messages.send_receipt, facts.paid(therapist_id))
    for timer in scheduler.due(["send_message"]):
        scheduler.perform(effect, [timer])
    assert scheduler.due(["send_message"]) == []
    desk.mail.down = False
    desk.bench.clock.advance(timedelta(seconds=5))
    for timer in scheduler.due(["send_message"]):
        scheduler.perform(effect, [timer])
    assert len(desk.mail.sent) == 1


def test_what_is_read_ahead_is_not_asked_for_again(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id)
    desk.release(referral_id, to=therapist_id)
    database = desk.bench.database
    timers = Scheduler(database, database.unit).due(["send_message"])
    with listening(database.engine) as asked, database.reading() as unit:
        held = sending.read_ahead(unit, timers)
        asked.clear()
        for timer in timers:
            sending.deliver(unit, timer)
        meanwhile = list(asked)
    assert held
    assert len(desk.mail.sent) == 2
    assert meanwhile
    assert all("FROM data_key" in statement for statement in meanwhile)


def test_a_maildir_holds_what_was_sent(desk: Desk, referral_id: ReferralId, tmp_path: Path) -> None:
    desk.release(referral_id)
    desk.run()
    folder = tmp_path / "mail" / "box"
    MaildirMailer(folder).send(desk.mail.sent[0])
    (kept,) = mailbox.Maildir(folder)
    assert kept["To"] == ADDRESS
    assert kept["Message-ID"] == desk.mail.sent[0]["Message-ID"]


def test_the_office_is_told_once_of_an_overdue_assessment(desk: Desk, referral_id: ReferralId) -> None:
    for _ in range(2):
        desk.bench.hear(office_messages.notify_office_of_overdue_assessment, facts.overdue(referral_id))
    desk.run()
    (letter,) = desk.mail.to(OFFICE)
    assert "Nobody has taken it up yet" in body(letter)


@pytest.mark.parametrize("address", ["robin@☃.example.org"])
def test_an_address_that_no_server_can_know_is_rejected_at_once_and_the_office_told(
    desk: Desk, referral_id: ReferralId, address: str
) -> None:
    desk.release(referral_id, replace(OPEN_EMAIL, email=address))
    desk.run()
    assert [(one.template, one.reason) for one in desk.bench.emitted(MessageFailed)] == [
        ("request_received", FailureReason.REJECTED)
    ]
    (told,) = desk.mail.to(SETTINGS.office.address)
    assert address not in told.as_string()
