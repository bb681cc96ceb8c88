"""E-mail: composes it, and writes it into a folder that any mail program can read or hands it to an SMTP server."""

from __future__ import annotations

import contextlib
import mailbox
import os
import smtplib
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from services.notifications.gateways.dsn import return_address
from services.notifications.gateways.email_addresses import NoAddress, address_in, as_sent_to

OK = 250
PERMANENT = 500
"""From this SMTP reply code on trying again can't help (RFC 5321, 4.2.1)."""

DEFAULT_PORTS = {"smtp": 587, "smtps": 465}


class Rejected(Exception):
    """The server will never take this message. Holds no address and nothing of what the server said."""


class Mailer(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Hands the message over. Raises Rejected, or OSError if trying again may help."""

    def flush(self) -> None:
        """Returns once what this thread has sent survives a power cut. After OSError, all of that is to be sent again.

        Every thread that sends calls it before it records that anything was sent.
        """


class MaildirMailer:
    """Puts each message into a Maildir, for development and demonstrations.

    `flush` waits for the disk once for many messages: to wait for each took a third of the whole service's time.
    """

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        mailbox.Maildir(folder, create=True)
        self._folder = folder
        self._of_this_thread = threading.local()

    def send(self, message: EmailMessage) -> None:
        """Writes it into `tmp/`, and moves it to `new/` once it is complete."""
        name = f"{time.time_ns()}.{uuid4().hex}.{socket.gethostname()}"
        with (self._folder / "tmp" / name).open("xb") as file:
            file.write(_written(message))
            file.flush()
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # the disk begins to write it
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
        """Files that are still open, since a mail program may have moved them meanwhile."""
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
    """Hands messages to an SMTP server. What one thread sends until `flush` goes over one connection.

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
    _of_this_thread: threading.local = field(default_factory=threading.local, init=False, repr=False, compare=False)

    def send(self, message: EmailMessage) -> None:
        try:
            server = self._connection()
            to, options = _recipient(message, server)
            server.sendmail(self._return_address(message), [to], as_sent(message), options)
        except smtplib.SMTPRecipientsRefused as error:
            _raise(max(code for code, _ in error.recipients.values()))
        except smtplib.SMTPDataError as error:
            _raise(error.smtp_code)
        except Exception:
            self._drop_connection()  # nobody can know what state it is in
            raise

    def flush(self) -> None:
        """Closes the connection. The server has said already that it has what it took."""
        server = self._open_connection()
        if server is not None:
            with contextlib.suppress(OSError):  # it may be gone already
                server.quit()
        self._drop_connection()

    def _return_address(self, message: EmailMessage) -> str:
        if self.bounces is None:
            return address_in(message["From"])
        return return_address(self.bounces, address_in(message["Message-ID"]).partition("@")[0])

    def _connection(self) -> smtplib.SMTP:
        """This thread's connection, or a new one where there is none or the server has closed it meanwhile."""
        server = self._open_connection()
        if server is not None and _is_alive(server):
            return server
        self._drop_connection()
        server = self._connect()
        try:
            if self.starttls:
                server.starttls(context=ssl.create_default_context())
            if self.username:
                server.login(self.username, self.password or "")
        except Exception:
            server.close()
            raise
        self._of_this_thread.server = server  # only now: nothing goes over one without TLS that was to have it
        return server

    def _open_connection(self) -> smtplib.SMTP | None:
        server: smtplib.SMTP | None = getattr(self._of_this_thread, "server", None)
        return server

    def _drop_connection(self) -> None:
        """Without a word to the server, which may not answer."""
        server = self._open_connection()
        if server is not None:
            server.close()
            del self._of_this_thread.server

    def _connect(self) -> smtplib.SMTP:
        if self.implicit_tls:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_seconds, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_seconds)


def _is_alive(server: smtplib.SMTP) -> bool:
    try:
        code, _ = server.noop()
    except OSError:
        return False
    return code == OK


def as_sent(message: EmailMessage) -> bytes:
    """The message with the line ends that SMTP requires."""
    return b"\r\n".join(_written(message).splitlines()) + b"\r\n"


def _recipient(message: EmailMessage, server: smtplib.SMTP) -> tuple[str, list[str]]:
    """The address, and the options that it needs. Raises Rejected if the server doesn't have them (RFC 6531)."""
    to = address_in(message["To"])
    if to.isascii():
        return to, []
    server.ehlo_or_helo_if_needed()
    if not server.has_extn("smtputf8"):
        raise Rejected("the server takes no address outside ASCII")
    return to, ["SMTPUTF8", "BODY=8BITMIME"]


def _written(message: EmailMessage) -> bytes:
    """In ASCII, unless the address can't be written so."""
    if address_in(message["To"]).isascii():
        return bytes(message)
    return message.as_bytes(policy=POLICY.clone(utf8=True))


def _raise(code: int) -> None:
    # The server's answer may repeat the address, so only its code is passed on.
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


ALIKE_IN_ALL = frozenset(
    {"from", "auto-submitted", "content-language", "content-type", "content-transfer-encoding", "mime-version"}
)
"""Headers that hold nothing about the reader, so that a few of them may be remembered."""

_REGISTRY = HeaderRegistry()


class _HeaderFactory(HeaderRegistry):
    """Parses a header that is alike in all messages once, and makes each kind's class once.

    A referral has eight e-mails; without this each takes the library twice as long (2.8 instead of 1.5 ms of CPU).
    What is about the reader is parsed anew and never remembered.
    """

    def __getitem__(self, name: str) -> type[BaseHeader]:
        return _header_class(name.lower())

    def __call__(self, name: str, value: Any) -> BaseHeader:
        return _parsed(name, value) if name.lower() in ALIKE_IN_ALL else super().__call__(name, value)


@lru_cache(maxsize=64)
def _header_class(name: str) -> type[BaseHeader]:
    return _REGISTRY[name]


@lru_cache(maxsize=64)
def _parsed(name: str, value: str) -> BaseHeader:
    return _header_class(name.lower())(name, value)


POLICY = EmailPolicy(header_factory=_HeaderFactory())


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
    """An e-mail as plain text and as HTML. The same message always has the same Message-ID, so copies are recognised.

    Raises Rejected for an address that no mail server can know.
    """
    mail = EmailMessage(POLICY)
    mail["From"] = sender
    mail["To"] = _known(to)
    mail["Subject"] = subject
    mail["Date"] = at
    mail["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2].rstrip('>')}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body)
    mail.add_alternative(page, subtype="html")
    mail["Content-Language"] = language  # last: `add_alternative` moves such headers into the part
    return mail


def _known(address: str) -> str:
    try:
        return as_sent_to(address)
    except NoAddress as error:
        raise Rejected(str(error)) from None
