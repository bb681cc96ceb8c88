"""Bounces: e-mail that comes back to our return addresses, in a Maildir. Finds which says that delivery has failed.

Standard reports are delivery status notifications (DSN, RFC 3464); many servers write others. A mail that can't be read
is moved to `unreadable/`, beside `new/` and `cur/`, for a person.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from itertools import islice
from pathlib import Path
from uuid import UUID, uuid4

from flufl.bounce import all_failures

UNREADABLE = "unreadable"
MAX_AT_ONCE = 100
MAX_BYTES = 1_000_000
_WHERE_IT_SPEAKS = 4_000
"""Bytes at its beginning in which a report says what happened, before it quotes the mail."""

_UUID = r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"
_RETURNED = re.compile(rf"\+({_UUID})@", re.IGNORECASE)
_MESSAGE_ID = re.compile(rf"^[> \t]*Message-ID:\s*<({_UUID})@".encode(), re.IGNORECASE | re.MULTILINE)
_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")
_ACTION = re.compile(r"^Action:\s*([a-z]+)", re.IGNORECASE | re.MULTILINE)

_STATUS = ("message/delivery-status", "message/global-delivery-status")
"""RFC 3464, and RFC 6533 for addresses outside ASCII."""

_DELAYED = re.compile(r"delay|not yet (been )?delivered|\bwarning\b|temporar|verzögert|retard[ée]", re.IGNORECASE)
"""In subjects of reports of a delay: delivery is still being tried."""

_STILL_TRIED = re.compile(
    rb"warning message only|do not need to resend|no action is required on your part|delivery attempts will continue"
    rb"|has not yet been delivered|will (keep|continue) (on )?(to )?(re-?)?try|still being retried",
    re.IGNORECASE,
)
"""The same in their text."""

_MACHINE = re.compile(r"mailer[-_. ]?daemon|mail[-_. ]?delivery|postmaster|mdaemon|bounce|mmdf|<>", re.IGNORECASE)
_DOMAIN = re.compile(r"@[^\s>]*")
_FAILURE = re.compile(
    r"undeliver|non[- ]?deliver|deliver\w* (has )?(fail|status|problem|error)|fail\w* (delivery|notice)"
    r"|returned? (mail|to sender)|mail (delivery|error|system)|not (be )?delivered|rejected|unzustellbar",
    re.IGNORECASE,
)
"""Senders (_MACHINE) and subjects (_FAILURE) of reports of failure, which no person's reply has."""

_ABSENCE = re.compile(
    r"^\W*(auto(matic|mated|matische)?[-\s]?(reply|response|answer|antwort)|auto:|autosvar|r[eé]ponse automatique"
    r"|respuesta autom|risposta automat|out[- ]of[- ](the[- ])?office|ooo\b|abwesen|absen[ct]e|vacation|ateb awtomatig"
    r"|on (annual )?(holiday|leave)|(i am |i'm )?away\b|(i am |i'm )?not in the office|allan o'r swyddfa)",
    re.IGNORECASE,
)
"""How subjects of automatic replies begin."""

_REPLY_MARKS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Response", "X-Vacation", "Autoresponder")

# It logs errors of its detectors, with personal data from the mail.
logging.getLogger("flufl.bounce").disabled = True


@dataclass(frozen=True)
class Report:
    """One file of the folder. `failed` is the message of ours that it says was never delivered, if it says so."""

    file: str
    failed: UUID | None


def return_address(bounces: str, message_id: str) -> str:
    """The address for reports about one message, which has the message's id in it."""
    local, _, domain = bounces.rpartition("@")
    return f"{local}+{message_id}@{domain}"


def read_reports(folder: Path) -> list[Report]:
    """The unread reports, at most MAX_AT_ONCE. Raises OSError if the folder itself can't be read."""
    return list(islice(_reports(folder), MAX_AT_ONCE))


def mark_read(folder: Path, files: Collection[str]) -> None:
    """Marks reports as read; one that is gone is no error. Raises OSError, once all were tried."""
    failed = None
    for name in files:
        try:
            _move(folder / "new" / name, folder / "cur", f"{name}:2,S")
        except FileNotFoundError:
            continue
        except OSError as error:  # such as a name that is too long for the suffix
            failed = None if _put_aside(folder, folder / "new" / name) else error
    if failed:
        raise failed


def count_unreadable(folder: Path) -> int:
    """How many mails wait for a person to look at them."""
    return sum(1 for _ in (folder / UNREADABLE).glob("*"))


def failed_message(raw: bytes) -> UUID | None:
    """The message of ours that a mail says was never delivered.

    At a message's own return address that is every mail but a report of a delay or of success, and an automatic reply:
    nobody else writes there, and it is safer to take what isn't understood for a failure. At any other address a mail
    has to say that delivery failed, and to quote the message.
    """
    report = message_from_bytes(raw)
    own = _RETURNED.search(_addressed_to(report))
    says = _what_it_says(report, _after_its_head(raw))
    if says is False or (says is None and not own):
        return None
    quoted = own or _MESSAGE_ID.search(_after_its_head(raw))
    return UUID(_text(quoted[1])) if quoted else None


def _reports(folder: Path) -> Iterator[Report]:
    for file in sorted((folder / "new").iterdir()):
        if file.name.startswith("."):
            continue  # not a mail, by the rules of Maildir
        try:
            report = Report(file.name, failed_message(_beginning(file)))
        except FileNotFoundError:
            continue
        except Exception:
            # Whatever is wrong with one mail stops no other; its content must not be logged.
            _put_aside(folder, file)
        else:
            yield report


def _put_aside(folder: Path, file: Path) -> bool:
    """False if not even that can be done; the rest goes on without it."""
    try:
        (folder / UNREADABLE).mkdir(exist_ok=True)
        _move(file, folder / UNREADABLE, file.name)
    except OSError:
        return False
    return True


def _move(file: Path, into: Path, name: str) -> None:
    """Moves a file, or a folder, over nothing that lies there already."""
    if (into / name).exists():
        name = f"{uuid4().hex}.{name}"
    file.rename(into / name)


def _beginning(file: Path) -> bytes:
    """Raises OSError also for what is no file: to open a pipe would never end."""
    if not file.is_file():
        file.lstat()
        raise OSError("not a file")
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES)


def _what_it_says(report: Message, content: bytes) -> bool | None:
    """True: delivery has failed. False: it has not, or this is an automatic reply. None: it doesn't say."""
    actions = set(_actions(report))
    if "failed" in actions:
        return True
    if actions and actions <= {"delayed", "delivered", "relayed", "expanded"}:
        return False
    subject = _subject(report)
    if _is_reply(report, subject):
        return False
    temporary, permanent = _recipients(report)
    if permanent:
        return True
    if temporary or _DELAYED.search(subject) or _STILL_TRIED.search(content[:_WHERE_IT_SPEAKS]):
        return False
    return False if _is_marked_automatic(report, subject) else None


def _recipients(report: Message) -> tuple[Collection[bytes], Collection[bytes]]:
    """To whom delivery is delayed, and to whom it has failed, as flufl.bounce recognises it."""
    try:
        return all_failures(report)
    except Exception:  # for instance an unknown character set: then it finds nobody
        return (), ()


def _actions(report: Message) -> Iterator[str]:
    for part in report.walk():
        if part.get_content_type() in _STATUS:
            yield from (found.lower() for found in _ACTION.findall(_written(part)))


def _written(part: Message) -> str:
    """The fields of a delivery status, which the library parses as messages of their own."""
    blocks = part.get_payload()
    if isinstance(blocks, str):
        return blocks
    lines = [f"{name}: {value}" for block in blocks if isinstance(block, Message) for name, value in block.items()]
    bodies = [body for block in blocks if isinstance(block, Message) and isinstance(body := block.get_payload(), str)]
    return "\n".join(lines + bodies)


def _is_reply(report: Message, subject: str) -> bool:
    """An answer that a machine gives for a person, or a notice that it was opened (RFC 8098), by marks of its own."""
    if _is_from_a_mail_system(report, subject):
        return False
    return (
        str(report.get("Precedence", "")).strip().lower() in ("auto_reply", "auto-reply")
        or report.get_param("report-type") == "disposition-notification"
        or any(mark in report for mark in _REPLY_MARKS)
        or _ABSENCE.search(subject) is not None
    )


def _is_marked_automatic(report: Message, subject: str) -> bool:
    """The mark of RFC 3834, which many reports of failure bear too; so it counts where nothing speaks of failure."""
    if _is_from_a_mail_system(report, subject):
        return False
    return str(report.get("Auto-Submitted", "no")).strip().lower() not in ("no", "")


def _is_from_a_mail_system(report: Message, subject: str) -> bool:
    sender = _DOMAIN.sub("", str(report.get("From", "")))
    return "X-Failed-Recipients" in report or bool(_MACHINE.search(sender) or _FAILURE.search(subject))


def _subject(report: Message) -> str:
    subject = str(report.get("Subject", ""))
    try:
        return str(make_header(decode_header(subject)))
    except (LookupError, ValueError):  # an unknown character set
        return subject


def _addressed_to(report: Message) -> str:
    names = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
    return " ".join(str(value) for name in names for value in report.get_all(name, ()))


def _after_its_head(raw: bytes) -> bytes:
    """The body, which may quote the message; the head has the report's own Message-ID."""
    parts = _HEAD_ENDS.split(raw, maxsplit=1)
    return parts[1] if len(parts) > 1 else b""


def _text(found: str | bytes) -> str:
    return found if isinstance(found, str) else found.decode("ascii")
