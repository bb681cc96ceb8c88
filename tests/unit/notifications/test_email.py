"""The SMTP mailer against a real server, and which mailer a setting names."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from chassis.ids import new_id
from leeward.runtime.free_ports import free_ports
from services.notifications.gateways.email import MaildirMailer, Rejected, SmtpMailer, compose_email, mailer_for
from tests.unit.notifications.conftest import plain

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@dataclass
class Recipient:
    """What the server does with mail: keeps it, unless told to answer with another code."""

    answer: str | None = None
    drop: bool = False
    envelopes: list[Envelope] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)
    """By where each came from."""

    async def handle_RCPT(  # noqa: N802
        self, server: object, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.connections.add(session.peer)
        if self.answer and address.startswith("refused"):
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: object, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.drop:
            server.transport.close()  # type: ignore[attr-defined]
            return ""
        self.envelopes.append(envelope)
        return "250 OK"


Serve = Callable[..., Controller]


@pytest.fixture
def serve() -> Iterator[Serve]:
    started: list[Controller] = []

    def start(recipient: Recipient, **options: Any) -> Controller:
        (port,) = free_ports(1)
        controller = Controller(recipient, hostname="127.0.0.1", port=port, **options)
        controller.start()
        started.append(controller)
        return controller

    yield start
    for controller in started:
        if not controller.loop.is_closed():  # stopped by the test
            controller.stop()


def a_message(to: str = "robin@example.org", body: str = "Hello.\n") -> EmailMessage:
    return compose_email(
        message_id=new_id(),
        sender="Leeward <hello@example.org>",
        to=to,
        subject="Reference",
        body=body,
        page=f"<p>{body}</p>",
        at=AT,
    )


def mailer(controller: Controller, **options: Any) -> SmtpMailer:
    defaults = {"host": "127.0.0.1", "port": controller.port, "starttls": False, "timeout_seconds": 5}
    return SmtpMailer(**{**defaults, **options})


def test_hands_the_message_to_the_server_as_it_is(serve: Serve) -> None:
    recipient = Recipient()
    message = a_message(body="Grüße, naïve and £50.00.\n")
    mailer(serve(recipient)).send(message)
    (envelope,) = recipient.envelopes
    assert envelope.rcpt_tos == ["robin@example.org"]
    received = message_from_bytes(as_bytes(envelope), policy=default_policy)
    assert received["Message-ID"] == message["Message-ID"]
    assert received.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in received.iter_parts()] == ["text/plain", "text/html"]
    assert plain(received).strip() == "Grüße, naïve and £50.00."


def test_a_recipient_who_is_refused_for_good_is_rejected(serve: Serve) -> None:
    controller = serve(Recipient(answer="550 No such user refused@example.org"))
    with pytest.raises(Rejected) as raised:
        mailer(controller).send(a_message("refused@example.org"))
    assert "example.org" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_recipient_who_is_refused_for_now_may_be_tried_again(serve: Serve) -> None:
    controller = serve(Recipient(answer="451 Come back later"))
    with pytest.raises(OSError, match="for now"):
        mailer(controller).send(a_message("refused@example.org"))


def test_a_server_that_is_not_there_may_be_tried_again() -> None:
    (port,) = free_ports(1)
    with pytest.raises(OSError):  # noqa: PT011
        SmtpMailer(host="127.0.0.1", port=port, starttls=False, timeout_seconds=1).send(a_message())


def test_a_server_that_hangs_up_in_the_middle_may_be_tried_again(serve: Serve) -> None:
    with pytest.raises(OSError):  # noqa: PT011
        mailer(serve(Recipient(drop=True))).send(a_message())


def test_what_a_thread_sends_in_one_go_takes_one_connection(serve: Serve) -> None:
    recipient = Recipient(answer="550 No such user")
    made = mailer(serve(recipient))
    made.send(a_message())
    with pytest.raises(Rejected):
        made.send(a_message("refused@example.org"))
    made.send(a_message())
    assert len(recipient.envelopes) == 2
    assert len(recipient.connections) == 1
    made.flush()
    made.send(a_message())
    made.flush()
    assert len(recipient.envelopes) == 3
    assert len(recipient.connections) == 2


def test_a_connection_that_the_server_closed_meanwhile_is_made_anew(serve: Serve) -> None:
    before, after = Recipient(), Recipient()
    controller = serve(before)
    made = mailer(controller)
    made.send(a_message())
    controller.stop()
    again = Controller(after, hostname="127.0.0.1", port=controller.port)
    again.start()
    try:
        made.send(a_message())
        made.flush()
    finally:
        again.stop()
    assert len(before.envelopes) == len(after.envelopes) == 1


def test_after_a_server_hung_up_in_the_middle_the_next_message_goes(serve: Serve) -> None:
    recipient = Recipient(drop=True)
    made = mailer(serve(recipient))
    with pytest.raises(OSError):  # noqa: PT011
        made.send(a_message())
    recipient.drop = False
    made.send(a_message())
    made.flush()
    assert len(recipient.envelopes) == 1


def test_to_flush_where_nothing_was_sent_or_the_server_is_gone_is_no_error(serve: Serve) -> None:
    controller = serve(Recipient())
    made = mailer(controller)
    made.flush()
    made.send(a_message())
    controller.stop()
    made.flush()


def test_a_report_of_failure_comes_back_under_the_message_s_own_address(serve: Serve) -> None:
    recipient, message = Recipient(), a_message()
    controller = serve(recipient)
    mailer(controller, bounces="bounces@example.org").send(message)
    mailer(controller).send(message)
    message_id = message["Message-ID"].strip("<>").partition("@")[0]
    senders = [envelope.mail_from for envelope in recipient.envelopes]
    assert senders == [f"bounces+{message_id}@example.org", "hello@example.org"]


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("robin@exämple.org", "robin@xn--exmple-cua.org"),
        ("robin@ドメイン.テスト", "robin@xn--eckwd4c7c.xn--zckzah"),
        ("robin@EXÄMPLE.org", "robin@xn--exmple-cua.org"),
        ("o'robin+x@foo_bar.example.org", "o'robin+x@foo_bar.example.org"),
    ],
)
def test_a_domain_outside_ascii_is_written_as_mail_servers_know_it(serve: Serve, address: str, known: str) -> None:
    recipient = Recipient()
    message = a_message(address)
    mailer(serve(recipient)).send(message)
    (envelope,) = recipient.envelopes
    assert envelope.rcpt_tos == [known]
    assert message_from_bytes(as_bytes(envelope), policy=default_policy)["To"] == known


def test_a_mailbox_outside_ascii_is_written_to_where_the_server_can_do_it(serve: Serve) -> None:
    recipient = Recipient()
    message = a_message("rübe@exämple.org", body="Grüße.\n")
    mailer(serve(recipient, enable_SMTPUTF8=True)).send(message)
    (envelope,) = recipient.envelopes
    assert envelope.rcpt_tos == ["rübe@xn--exmple-cua.org"]
    assert envelope.smtp_utf8
    assert "To: rübe@xn--exmple-cua.org\r\n".encode() in as_bytes(envelope)
    assert plain(message_from_bytes(as_bytes(envelope), policy=default_policy)).strip() == "Grüße."


def test_and_is_rejected_at_once_where_the_server_cannot(serve: Serve) -> None:
    recipient = Recipient()
    controller = serve(recipient, enable_SMTPUTF8=False)
    with pytest.raises(Rejected) as raised:
        mailer(controller).send(a_message("rübe@example.org"))
    assert "rübe" not in str(raised.value)
    assert recipient.envelopes == []


@pytest.mark.parametrize(
    "address",
    ["robin", "@example.org", "robin@", "ro bin@c.org", "robin@exa mple.org", "robin@ä..org", "a,b@c.org"],
)
def test_what_is_no_address_is_rejected_at_once(address: str) -> None:
    with pytest.raises(Rejected) as raised:
        a_message(address)
    assert address not in str(raised.value)


def test_a_folder_takes_a_mailbox_outside_ascii(tmp_path: Path) -> None:
    MaildirMailer(tmp_path / "mail").send(a_message("rübe@example.org"))
    (file,) = (tmp_path / "mail" / "new").iterdir()
    assert "To: rübe@example.org\n".encode() in file.read_bytes()


def test_lines_end_as_smtp_wants_them(serve: Serve) -> None:
    recipient = Recipient()
    mailer(serve(recipient)).send(a_message(body="One\n.\nThree\n"))
    content = as_bytes(recipient.envelopes[0])
    assert content.count(b"\n") == content.count(b"\r\n")
    assert plain(message_from_bytes(content, policy=default_policy)).split() == ["One", ".", "Three"]


def test_refuses_to_go_on_where_the_server_offers_no_tls(serve: Serve) -> None:
    recipient = Recipient()
    with pytest.raises(Exception, match="STARTTLS"):
        mailer(serve(recipient), starttls=True).send(a_message())
    assert recipient.envelopes == []


def test_refuses_a_certificate_that_nobody_vouches_for(serve: Serve, tmp_path: Path) -> None:
    recipient = Recipient()
    controller = serve(recipient, tls_context=_self_signed(tmp_path))
    with pytest.raises(ssl.SSLCertVerificationError):
        mailer(controller, starttls=True).send(a_message())
    assert recipient.envelopes == []


def test_goes_over_tls_and_signs_in(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def authenticate(server: object, session: object, envelope: object, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data == LoginPassword(b"leeward", b"made-up"))

    recipient, context = Recipient(), _self_signed(tmp_path)
    controller = serve(recipient, tls_context=context, authenticator=authenticate, auth_required=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    mailer(controller, host="localhost", starttls=True, username="leeward", password="made-up").send(a_message())
    assert len(recipient.envelopes) == 1


@pytest.mark.parametrize(
    ("url", "port", "starttls", "implicit_tls"),
    [
        ("smtp://mail.example.org", 587, True, False),
        ("smtp://mail.example.org:2525?starttls=no", 2525, False, False),
        ("smtps://mail.example.org", 465, False, True),
    ],
)
def test_a_setting_names_the_server_and_how_safe_the_way_is(
    url: str, port: int, starttls: bool, implicit_tls: bool
) -> None:
    made = mailer_for(url, username=None, password=None, timeout_seconds=5)
    assert isinstance(made, SmtpMailer)
    assert (made.host, made.port, made.starttls, made.implicit_tls) == (
        "mail.example.org",
        port,
        starttls,
        implicit_tls,
    )


def test_a_setting_names_a_folder(tmp_path: Path) -> None:
    made = mailer_for(f"maildir:{tmp_path}/mail", username=None, password=None, timeout_seconds=5)
    assert isinstance(made, MaildirMailer)
    made.send(a_message())
    (file,) = (tmp_path / "mail" / "new").iterdir()
    assert plain(message_from_bytes(file.read_bytes(), policy=default_policy)) == "Hello.\n"
    assert list((tmp_path / "mail" / "tmp").iterdir()) == []


def test_letters_in_a_folder_are_kept_all_at_once_by_the_thread_that_sent_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[str] = []
    monkeypatch.setattr("os.fsync", lambda descriptor: kept.append(Path(f"/proc/self/fd/{descriptor}").readlink().name))
    mailer = MaildirMailer(tmp_path / "mail")
    for _ in range(2):
        mailer.send(a_message())
    first, second = sorted((tmp_path / "mail" / "new").iterdir())
    first.rename(tmp_path / "mail" / "cur" / f"{first.name}:2,S")  # somebody reads it meanwhile
    other = threading.Thread(target=mailer.flush)
    other.start()
    other.join()
    assert kept == ["new"]
    mailer.flush()
    assert kept[1:] == [f"{first.name}:2,S", second.name, "new"]
    mailer.flush()
    assert kept[4:] == ["new"]


def full(*about: int) -> None:
    raise OSError("the disk is full")


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_letter_that_could_not_be_written_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailer = MaildirMailer(tmp_path / "mail")
    mailer.send(a_message())
    before = open_files()
    with monkeypatch.context() as patched, pytest.raises(OSError, match="full"):
        patched.setattr("os.posix_fadvise", full)
        mailer.send(a_message())
    assert open_files() == before
    mailer.flush()
    assert len(list((tmp_path / "mail" / "new").iterdir())) == 1


def test_a_folder_that_fails_to_keep_letters_says_so_and_lets_go_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailer = MaildirMailer(tmp_path / "mail")
    before = open_files()
    mailer.send(a_message())
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="full"):
        mailer.flush()
    assert open_files() == before


@pytest.mark.parametrize("subject", ["Reference", "Grüße, £50", "Words, " * 20 + "and an end"])
def test_any_subject_reaches_the_reader_as_it_was_written(subject: str) -> None:
    message = compose_email(
        message_id=new_id(),
        sender="Leeward <hello@example.org>",
        to="a@example.org",
        subject=subject,
        body="",
        page="",
        at=AT,
    )
    written = bytes(message)
    assert written.isascii()
    assert max(len(line) for line in written.splitlines()) <= 78
    assert message_from_bytes(written, policy=default_policy)["Subject"] == subject


def test_a_subject_cannot_smuggle_in_a_header() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        compose_email(
            message_id=new_id(),
            sender="Leeward <hello@example.org>",
            to="robin@example.org",
            subject="Hello\nBcc: other@example.org",
            body="",
            page="",
            at=AT,
        )


def as_bytes(envelope: Envelope) -> bytes:
    assert isinstance(envelope.content, bytes)
    return envelope.content


def _self_signed(folder: Path) -> ssl.SSLContext:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    options = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-nodes"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *options], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
