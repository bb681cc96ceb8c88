"""The way out: e-mail into a folder that any mail program can read, or to an SMTP server."""

from __future__ import annotations

import mailbox
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

PERMANENT = 500
"""SMTP replies from here on say that trying again can't help (RFC 5321, 4.2.1)."""

DEFAULT_PORTS = {"smtp": 587, "smtps": 465}


class Rejected(Exception):
    """The server will never take this message. Holds no address and nothing of what the server said."""


class Mailer(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Hands the message to the next hop. Raises Rejected, or OSError where trying again may help."""


class MaildirMailer:
    """Puts each message into a Maildir, for development and demonstrations."""

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._maildir = mailbox.Maildir(folder, create=True)

    def send(self, message: EmailMessage) -> None:
        self._maildir.add(message)


@dataclass(frozen=True, kw_only=True)
class SmtpMailer:
    """Hands each message to an SMTP server, on a connection of its own.

    `starttls` refuses to go on without TLS; `implicit_tls` (smtps) begins with it.
    """

    host: str
    port: int
    starttls: bool
    implicit_tls: bool = False
    username: str | None = None
    password: str | None = None
    timeout_seconds: float

    def send(self, message: EmailMessage) -> None:
        try:
            with self._connect() as server:
                if self.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self.username:
                    server.login(self.username, self.password or "")
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            _raise(max(code for code, _ in error.recipients.values()))
        except smtplib.SMTPDataError as error:
            _raise(error.smtp_code)

    def _connect(self) -> smtplib.SMTP:
        if self.implicit_tls:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_seconds, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_seconds)


def _raise(code: int) -> None:
    # What the server says back may repeat the address, so neither goes any further.
    if code >= PERMANENT:
        raise Rejected(f"the server refused the message for good ({code})") from None
    raise OSError(f"the server refused the message for now ({code})") from None


def mailer_for(url: str, *, username: str | None, password: str | None, timeout_seconds: float) -> Mailer:
    """The mailer that `maildir:<folder>`, `smtp://<host>:<port>` or `smtps://…` names.

    `smtp://` insists on STARTTLS unless it ends in `?starttls=no`, which is for a server on the same machine.
    """
    parts = urlsplit(url)
    if parts.scheme == "maildir":
        return MaildirMailer(Path(parts.path))
    return SmtpMailer(
        host=parts.hostname or "localhost",
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        starttls=parts.scheme == "smtp" and parse_qs(parts.query).get("starttls") != ["no"],
        implicit_tls=parts.scheme == "smtps",
        username=username,
        password=password,
        timeout_seconds=timeout_seconds,
    )


def compose(*, message_id: UUID, sender: str, to: str, subject: str, body: str, at: datetime) -> EmailMessage:
    """A plain-text e-mail. The same message always gets the same Message-ID, so that a copy can be told."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2].rstrip('>')}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body)
    return mail
