"""What came back: read from a real Maildir, matched to its message, and looked after by a person."""

from __future__ import annotations

import mailbox
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
from services.notifications import handlers
from services.notifications.gateways.bounces import MOST_AT_ONCE, failed_message, return_address
from services.notifications.handlers.bounces import EVERY, FOLDER, READ_BOUNCES
from tests.unit.notifications.conftest import OPEN_EMAIL, SETTINGS, Desk, body, desk_on

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


def test_a_report_of_a_delay_or_of_an_absence_fails_nothing() -> None:
    address = return_address(BOUNCES, str(new_id()))
    assert failed_message(a_report(to=address, action="delayed")) is None
    assert failed_message(an_absence(address)) is None
    assert failed_message(b"") is None
    assert failed_message(a_report()) is None


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
    (told,) = desk.post.to(SETTINGS.office.address)
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
            (report,) = handlers.read_bounces(unit, timer)
    assert report.failed is not None


def test_more_than_can_be_read_at_once_are_read_at_once_after(desk: Desk, folder: Path) -> None:
    deliver(folder, [a_report(message_id=new_id())] * (MOST_AT_ONCE + 1))
    desk.run()
    desk.pass_time(seconds=EVERY.total_seconds())
    assert len(list((folder / "cur").iterdir())) == MOST_AT_ONCE + 1


def test_a_folder_that_is_away_is_looked_into_again(desk: Desk, folder: Path, referral_id: ReferralId) -> None:
    timer = desk.timer(READ_BOUNCES)
    with desk.bench.database.unit() as unit:
        unit.session.execute(delete(desk.bench.database.tables.timer))
        handlers.read_bounces_later(unit, timer)
    assert desk.timer(READ_BOUNCES).due_at == desk.bench.clock.now() + EVERY
