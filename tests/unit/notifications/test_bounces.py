"""What came back: read from a real Maildir, matched to its message, and looked after by a person."""

from __future__ import annotations

import mailbox
import os
from collections.abc import Sequence
from email import message_from_string
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete

from chassis.ids import new_id
from contracts.events.notifications import MessageFailed
from contracts.vocabulary import FailureReason, ReferralId
from services.notifications.application.bounces import LOOK_AGAIN, fail_undelivered
from services.notifications.gateways.dsn import MAX_AT_ONCE, failed_message, mark_read, return_address
from services.notifications.handlers import alarms, bounces
from services.notifications.handlers.bounces import BY_MAIL, EVERY, FOLDER, READ_BOUNCES
from tests.unit.notifications.conftest import EVENING, OPEN_EMAIL, SETTINGS, Desk, body, desk_on

BOUNCES = "bounces@leeward.example.org"


def a_report(
    *, to: str = BOUNCES, action: str = "failed", message_id: UUID | None = None, headers_only: bool = False
) -> bytes:
    """A report as mail servers write it (RFC 3464)."""
    report = MIMEMultipart("report", report_type="delivery-status")
    report["To"], report["From"], report["Subject"] = to, "MAILER-DAEMON@mx.example.org", "Undelivered mail"
    report["Auto-Submitted"] = "auto-replied"
    report.attach(MIMEText("I'm sorry to have to inform you …"))
    status = Message()
    status["Content-Type"] = "message/delivery-status"
    about, recipient = Message(), Message()
    about["Reporting-MTA"] = "dns; mx.example.org"
    recipient["Final-Recipient"], recipient["Action"], recipient["Status"] = "rfc822; a@example.org", action, "5.1.1"
    status.set_payload([about, recipient])
    report.attach(status)
    if message_id:
        head = f"From: Leeward <hello@example.org>\nMessage-ID: <{message_id}@example.org>\nSubject: x\n\n"
        quoted = Message()
        quoted["Content-Type"] = "text/rfc822-headers" if headers_only else "message/rfc822"
        quoted.set_payload(head if headers_only else [message_from_string(head)])
        report.attach(quoted)
    return report.as_bytes()


def an_absence(to: str) -> bytes:
    answer = EmailMessage()
    answer["To"], answer["Auto-Submitted"] = to, "auto-replied"
    answer.set_content("I am away until Monday.")
    return answer.as_bytes()


def test_the_message_is_known_by_the_address_that_the_report_went_to() -> None:
    message_id = new_id()
    assert failed_message(a_report(to=return_address(BOUNCES, str(message_id)))) == message_id


@pytest.mark.parametrize("headers_only", [True, False])
def test_or_by_the_message_id_that_the_report_quotes(headers_only: bool) -> None:
    message_id = new_id()
    assert failed_message(a_report(message_id=message_id, headers_only=headers_only)) == message_id


def test_a_report_of_a_delay_or_of_success_or_an_absence_fails_nothing() -> None:
    address = return_address(BOUNCES, str(new_id()))
    for action in ("delayed", "delivered", "relayed", "expanded"):
        assert failed_message(a_report(to=address, action=action)) is None
    assert failed_message(an_absence(address)) is None
    assert failed_message(b"") is None
    assert failed_message(a_report()) is None


AT_OWN_ADDRESS = {
    "in words of its own": ("Mail Daemon <daemon@mx.example.org>", "Your mail", "Nobody of that name lives here."),
    "by qmail": (
        "MAILER-DAEMON@mx.example.org",
        "failure notice",
        "Hi. This is the qmail-send program at mx.example.org.\nI'm afraid I wasn't able to deliver your message.\n",
    ),
    "marked as an automatic reply": ("MAILER-DAEMON@mx.example.org", "Mail delivery failed", "User is unknown."),
    "in Japanese": ("postmaster@mx.example.org", "=?utf-8?b?6YWN5L+h44Gn44GN44G+44Gb44KT?=", "宛先不明"),
    "of a subject in a character set that there is not": ("x@mx.example.org", "=?x-nonsense?q?a?=", "?"),
}


@pytest.mark.parametrize("manner", AT_OWN_ADDRESS)
def test_whatever_else_comes_to_a_message_s_own_address_says_that_it_failed(manner: str) -> None:
    message_id = new_id()
    mail = an_answer(*AT_OWN_ADDRESS[manner], to=return_address(BOUNCES, str(message_id)))
    if "automatic" in manner:
        mail["Auto-Submitted"] = "auto-replied"
    assert failed_message(mail.as_bytes()) == message_id
    elsewhere = an_answer("a@example.org", "Your mail", "Thank you.", to=BOUNCES)
    assert failed_message(elsewhere.as_bytes() + f"\nMessage-ID: <{message_id}@example.org>\n".encode()) is None


@pytest.mark.parametrize(
    ("subject", "marks"),
    [
        ("Automatic reply: Reference", {"X-Auto-Response-Suppress": "All"}),
        ("Out of office", {}),
        ("Auto: Reference", {"Auto-Submitted": "auto-replied (vacation)", "Precedence": "bulk"}),
        ("Re: Reference", {"Auto-Submitted": "auto-replied"}),
        ("Re: Reference", {"Precedence": "auto_reply"}),
        ("Re: Reference", {"X-Autoreply": "yes"}),
        ("[Ticket 42] We have your message", {"Auto-Submitted": "auto-generated"}),
        ("Abwesenheitsnotiz", {}),
        ("=?utf-8?q?R=C3=A9ponse_automatique_=3A_x?=", {}),
        ("Ateb awtomatig: Cyfeirnod", {}),
        ("Read: Reference", {"Content-Type": "multipart/report; report-type=disposition-notification; boundary=b"}),
    ],
)
def test_what_a_machine_answers_for_a_person_fails_nothing(subject: str, marks: dict[str, str]) -> None:
    mail = an_answer("Sam <sam@example.org>", subject, "I am away.", to=return_address(BOUNCES, str(new_id())))
    for name, value in marks.items():
        del mail[name]
        mail[name] = value
    assert failed_message(mail.as_bytes()) is None


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Warning: message 1abcde-000000-00 delayed 24 hours", "A message that you sent has not yet been delivered."),
        ("Delivery Status Notification (Delay)", "This is an automatically generated Delivery Status Notification"),
        ("Mail status", "**** THIS IS A WARNING MESSAGE ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE. ****"),
    ],
)
def test_a_delay_that_is_told_in_words_fails_nothing(subject: str, text: str) -> None:
    mail = an_answer("Mailer-Daemon@mx.example.org", subject, text, to=return_address(BOUNCES, str(new_id())))
    mail["Auto-Submitted"] = "auto-replied"
    assert failed_message(mail.as_bytes()) is None


def an_answer(sender: str, subject: str, text: str, *, to: str) -> Message:
    mail = Message()
    mail["From"], mail["Subject"], mail["To"] = sender, subject, to
    mail["Content-Type"] = "text/plain; charset=utf-8"
    mail.set_payload(text.encode().decode("ascii", "surrogateescape"))
    return mail


def test_a_report_that_quotes_a_part_in_a_character_set_that_there_is_not_is_read_all_the_same() -> None:
    message_id = new_id()
    for action in ("failed", "of-no-kind"):
        assert failed_message(a_strange_report(message_id, action)) == message_id


def a_strange_report(message_id: UUID, action: str = "failed") -> bytes:
    quoted = b"Content-Type: text/plain; charset=x-nonsense\nContent-Transfer-Encoding: 8bit\n\nna\xefve\n"
    report = a_report(to=return_address(BOUNCES, str(message_id)), action=action, message_id=message_id)
    return report.replace(b"Subject: x\n\n", b"Subject: x\n" + quoted)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    mailbox.Maildir(tmp_path / "bounces", create=True)
    return tmp_path / "bounces"


@pytest.fixture
def desk(keys: Path, database_file: Path, folder: Path) -> Desk:
    made = desk_on(f"sqlite:///{database_file}", keys, bounces=folder)
    with made.bench.database.unit() as unit:
        unit.set_timer(READ_BOUNCES, FOLDER, unit.now)
    return made


def deliver(folder: Path, reports: Sequence[bytes]) -> None:
    for number, report in enumerate(reports):
        (folder / "new" / f"{number:04}.{new_id()}").write_bytes(report)


def test_a_message_that_came_back_is_failed_and_the_office_told(
    desk: Desk, referral_id: ReferralId, folder: Path
) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.run()
    message_id = desk.messages(referral_id)[0].message_id
    deliver(folder, [a_report(to=return_address(BOUNCES, str(message_id))), an_absence(BOUNCES), b"\xff\x00"])
    desk.pass_time(seconds=EVERY.total_seconds())
    (failed,) = desk.bench.emitted(MessageFailed)
    assert (failed.message_id, failed.reason) == (message_id, FailureReason.BOUNCED)
    (told,) = desk.mail.to(SETTINGS.office.address)
    assert str(message_id) in body(told)
    assert "robin" not in told.as_string().lower()
    assert desk.states(referral_id)["request_received"] == "failed"
    desk.pass_time(seconds=EVERY.total_seconds())
    assert list((folder / "new").iterdir()) == []
    assert len(list((folder / "cur").iterdir())) == 3
    assert len(desk.bench.emitted(MessageFailed)) == 1


def test_the_same_report_twice_and_one_about_nothing_of_ours_change_nothing(
    desk: Desk, referral_id: ReferralId, folder: Path
) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.run()
    address = return_address(BOUNCES, str(desk.messages(referral_id)[0].message_id))
    deliver(folder, [a_report(to=address), a_report(to=address), a_report(message_id=new_id())])
    desk.pass_time(days=1)
    assert len(desk.bench.emitted(MessageFailed)) == 1


def test_a_crash_before_the_record_reads_the_report_again(desk: Desk, referral_id: ReferralId, folder: Path) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.run()
    deliver(folder, [a_report(message_id=desk.messages(referral_id)[0].message_id)])
    timer = desk.timer(READ_BOUNCES)
    for _ in range(2):
        with desk.bench.database.reading() as unit:
            (report,) = bounces.read_bounces(unit, timer)
    assert report.failed is not None


def test_more_than_can_be_read_at_once_are_read_at_once_after(desk: Desk, folder: Path) -> None:
    deliver(folder, [a_report(message_id=new_id())] * (MAX_AT_ONCE + 1))
    desk.run()
    desk.pass_time(seconds=EVERY.total_seconds())
    assert len(list((folder / "cur").iterdir())) == MAX_AT_ONCE + 1


def test_a_folder_that_is_away_is_looked_into_again(desk: Desk, folder: Path, referral_id: ReferralId) -> None:
    timer = desk.timer(READ_BOUNCES)
    with desk.bench.database.unit() as unit:
        unit.session.execute(delete(desk.bench.database.tables.timer))
        bounces.read_bounces_later(unit, timer)
    assert desk.timer(READ_BOUNCES).due_at == desk.bench.clock.now() + EVERY


def test_what_cannot_be_read_is_put_aside_and_counted_and_stops_nothing(
    desk: Desk, referral_id: ReferralId, folder: Path
) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    desk.run()
    message_id = desk.messages(referral_id)[0].message_id
    (folder / "new" / "0000.a-folder").mkdir()
    (folder / "new" / "0001.nowhere").symlink_to(folder / "gone")
    os.mkfifo(folder / "new" / "0002.a-pipe")
    deliver(folder, [a_report(to=return_address(BOUNCES, str(message_id)))] * 2)
    assert unreadable(desk) == 0
    desk.pass_time(seconds=EVERY.total_seconds())
    assert desk.states(referral_id)["request_received"] == "failed"
    aside = {file.name for file in (folder / "unreadable").iterdir()}
    assert aside == {"0000.a-folder", "0001.nowhere", "0002.a-pipe"}
    assert unreadable(desk) == 3
    (folder / "new" / "0000.a-folder").mkdir()
    desk.pass_time(days=1)
    assert unreadable(desk) == 4
    assert list((folder / "new").iterdir()) == []


def test_strange_mails_in_any_number_leave_room_for_the_others(desk: Desk, folder: Path) -> None:
    for number in range(MAX_AT_ONCE + 1):
        (folder / "new" / f"{number:04}.a-folder").mkdir()
    (folder / "unreadable").write_text("so that nothing can be put aside")
    deliver(folder, [b"From: a@example.org\n\n"])
    desk.pass_time(seconds=EVERY.total_seconds())
    desk.pass_time(seconds=EVERY.total_seconds())
    assert len(list((folder / "cur").iterdir())) == 1


def test_a_name_too_long_for_a_mark_stops_nothing(desk: Desk, folder: Path) -> None:
    (folder / "new" / ("0" * 255)).write_bytes(b"From: a@example.org\n\n")
    deliver(folder, [b"From: a@example.org\n\n"])
    desk.pass_time(seconds=2 * EVERY.total_seconds())
    desk.pass_time(seconds=2 * EVERY.total_seconds())
    assert len(list((folder / "cur").iterdir())) == 1
    assert unreadable(desk) == 1


def test_nothing_is_moved_over_what_lies_there(folder: Path) -> None:
    for content in (b"one", b"other"):
        (folder / "new" / "same").write_bytes(content)
        mark_read(folder, ["same"])
    assert {file.read_bytes() for file in (folder / "cur").iterdir()} == {b"one", b"other"}


def test_word_that_comes_before_the_sending_is_on_record_is_not_lost(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, OPEN_EMAIL)
    (queued,) = desk.messages(referral_id)
    assert queued.state == "queued"
    with desk.bench.database.unit() as unit:
        fail_undelivered(unit, queued.message_id, BY_MAIL)
    desk.run()
    assert desk.states(referral_id)["request_received"] == "sent"
    desk.pass_time(seconds=LOOK_AGAIN.total_seconds())
    assert desk.states(referral_id)["request_received"] == "failed"


def test_but_of_a_message_that_does_not_go_out_in_time_it_says_nothing(desk: Desk, referral_id: ReferralId) -> None:
    desk.release(referral_id, EVENING)
    (queued,) = desk.messages(referral_id)
    with desk.bench.database.unit() as unit:
        fail_undelivered(unit, queued.message_id, BY_MAIL)
    for _ in range(100):
        desk.pass_time(seconds=LOOK_AGAIN.total_seconds())
    desk.pass_time(hours=9)
    desk.pass_time(seconds=LOOK_AGAIN.total_seconds())
    assert desk.states(referral_id)["request_received"] == "sent"


def unreadable(desk: Desk) -> int:
    with desk.bench.database.reading() as unit:
        return alarms.put_aside(unit)
