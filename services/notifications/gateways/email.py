"""The way out: e-mail into a folder that any mail program can read, or to an SMTP server."""

from __future__ import annotations

import base64
import mailbox
import os
import secrets
import smtplib
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import BaseHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from services.notifications.gateways.dsn import return_address
from services.notifications.gateways.email_addresses import NoAddress, address_in, as_sent_to

PERMANENT = 500
"""SMTP replies from here on say that trying again can't help (RFC 5321, 4.2.1)."""

DEFAULT_PORTS = {"smtp": 587, "smtps": 465}


ABOUT_CONTENT = frozenset({"mime-version", "content-type", "content-transfer-encoding"})
BOUNDARY = f"={secrets.token_hex(16)}"
"""One for the life of the process, so that the library reads it once. Nobody whose words are sent can know it."""

ALTERNATIVES = f'multipart/alternative; boundary="{BOUNDARY}"'
LONGEST_LINE = 900

MOST_ON_A_LINE = 78
"""Characters (RFC 5322, 2.1.1)."""


class Rejected(Exception):
    """The server will never take this message. Holds no address and nothing of what the server said."""


class Mailer(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Hands the message to the next hop. Raises Rejected, or OSError where trying again may help."""

    def flush(self) -> None:
        """Returns once what this thread has sent outlasts a power cut. If it raises OSError, that is to be sent again.

        To be called by every thread that sends, before it says that anything is sent.
        """


class MaildirMailer:
    """Puts each message into a Maildir, for development and demonstrations.

    The disk is waited for once for many letters: to wait for each took a third of the whole service's time.
    """

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        mailbox.Maildir(folder, create=True)
        self._folder = folder
        self._of_this_thread = threading.local()

    def send(self, message: EmailMessage) -> None:
        """Writes it beside the others, and moves it in when it is whole."""
        name = f"{time.time_ns()}.{uuid4().hex}.{socket.gethostname()}"
        with (self._folder / "tmp" / name).open("xb") as file:
            file.write(_written(message))
            file.flush()
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # has the disk begin with it
            self._written.append(os.dup(file.fileno()))
        (self._folder / "tmp" / name).rename(self._folder / "new" / name)

    def flush(self) -> None:
        written, self._of_this_thread.written = self._written, []
        try:
            for descriptor in written:
                os.fsync(descriptor)
            _fsync_folder(self._folder / "new")
        finally:
            for descriptor in written:
                os.close(descriptor)

    @property
    def _written(self) -> list[int]:
        """Open files, which a mail program may have moved meanwhile."""
        written: list[int] = self._of_this_thread.__dict__.setdefault("written", [])
        return written


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, kw_only=True)
class SmtpMailer:
    """Hands each message to an SMTP server, on a connection of its own.

    `starttls` refuses to go on without TLS; `implicit_tls` (smtps) begins with it. `bounces` is the address that
    reports of failed delivery go to, each with the message's identity in it.
    """

    host: str
    port: int
    starttls: bool
    implicit_tls: bool = False
    username: str | None = None
    password: str | None = None
    timeout_seconds: float
    bounces: str | None = None

    def send(self, message: EmailMessage) -> None:
        try:
            with self._connect() as server:
                if self.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self.username:
                    server.login(self.username, self.password or "")
                to, options = _recipient(message, server)
                server.sendmail(self._return_address(message), [to], as_sent(message), options)
        except smtplib.SMTPRecipientsRefused as error:
            _raise(max(code for code, _ in error.recipients.values()))
        except smtplib.SMTPDataError as error:
            _raise(error.smtp_code)

    def flush(self) -> None:
        """The server has said already that it has what it took."""

    def _return_address(self, message: EmailMessage) -> str:
        if self.bounces is None:
            return address_in(message["From"])
        return return_address(self.bounces, address_in(message["Message-ID"]).partition("@")[0])

    def _connect(self) -> smtplib.SMTP:
        if self.implicit_tls:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_seconds, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_seconds)


def as_sent(message: EmailMessage) -> bytes:
    """The message with the line ends that SMTP asks for, and no others."""
    return b"\r\n".join(_written(message).splitlines()) + b"\r\n"


def _recipient(message: EmailMessage, server: smtplib.SMTP) -> tuple[str, list[str]]:
    """Whom it goes to, and what the server is to be asked for. Raises Rejected if it can't do that (RFC 6531)."""
    to = address_in(message["To"])
    if to.isascii():
        return to, []
    server.ehlo_or_helo_if_needed()
    if not server.has_extn("smtputf8"):
        raise Rejected("the server takes no address outside ASCII")
    return to, ["SMTPUTF8", "BODY=8BITMIME"]


def _written(message: EmailMessage) -> bytes:
    """In ASCII, unless the address itself can't be."""
    if address_in(message["To"]).isascii():
        return bytes(message)
    return message.as_bytes(policy=_POLICY_UTF8)


def _raise(code: int) -> None:
    # What the server says back may repeat the address, so neither goes any further.
    if code >= PERMANENT:
        raise Rejected(f"the server refused the message for good ({code})") from None
    raise OSError(f"the server refused the message for now ({code})") from None


def mailer_for(
    url: str, *, username: str | None, password: str | None, timeout_seconds: float, bounces: str | None = None
) -> Mailer:
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
        bounces=bounces,
    )


class _AsWritten(EmailPolicy):
    """Takes a header that is plain as it is written, which the library would parse and fold each time it is met."""

    def header_max_count(self, name: str) -> int | None:
        return _most_of(name.lower())

    def header_store_parse(self, name: str, value: Any) -> tuple[str, str]:
        if name.lower() in ABOUT_CONTENT:
            return name, _parsed(name, value)
        is_plain = value.isascii() and value.isprintable() and len(f"{name}: {value}") <= MOST_ON_A_LINE
        return (name, value) if is_plain else super().header_store_parse(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        if isinstance(value, BaseHeader):
            return super().fold_binary(name, value)
        return f"{name}: {value}{self.linesep}".encode("ascii")


@lru_cache(maxsize=64)
def _most_of(name: str) -> int | None:
    """How often a header may stand in a message. The library makes a class to find out."""
    return EmailPolicy().header_max_count(name)


@lru_cache(maxsize=64)
def _parsed(name: str, value: str) -> BaseHeader:
    """Headers of which there are a few, alike in all messages, and that the library itself looks into."""
    parsed: BaseHeader = _POLICY.header_factory(name, value)
    return parsed


_POLICY = _AsWritten()
_POLICY_UTF8 = _POLICY.clone(utf8=True)


def compose_email(
    *,
    message_id: UUID,
    sender: str,
    to: str,
    subject: str,
    body: str,
    page: str,
    language: str = "en",
    at: datetime,
) -> EmailMessage:
    """An e-mail as plain text and as HTML. The same message always has the same Message-ID: a copy can be told.

    Raises Rejected for an address that no mail server can know.
    """
    mail = EmailMessage(_POLICY)
    mail["From"] = sender
    mail["To"] = _known(to)
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2].rstrip('>')}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = language
    mail["MIME-Version"] = "1.0"
    mail["Content-Type"] = ALTERNATIVES
    # Written out here: to build a message of each part, only to have it written, takes the library twice as long.
    mail.set_payload(f"--{BOUNDARY}\n{_part(body, 'plain')}\n--{BOUNDARY}\n{_part(page, 'html')}\n--{BOUNDARY}--\n")
    return mail


def _known(address: str) -> str:
    try:
        return as_sent_to(address)
    except NoAddress as error:
        raise Rejected(str(error)) from None


def _part(text: str, subtype: str) -> str:
    encoding = "7bit"
    if not text.isascii() or max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
        encoding, text = "base64", base64.encodebytes(text.encode()).decode("ascii")
    return f'Content-Type: text/{subtype}; charset="utf-8"\nContent-Transfer-Encoding: {encoding}\n\n{text}'
