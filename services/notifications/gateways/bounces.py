"""What mail servers send back: reports of failed delivery (RFC 3464), in the Maildir of our return addresses."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from uuid import UUID

MOST_AT_ONCE = 100
MOST_BYTES = 1_000_000
_UUID = r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"
_RETURNED = re.compile(rf"\+({_UUID})@", re.IGNORECASE)
_MESSAGE_ID = re.compile(rf"^Message-ID:\s*<({_UUID})@", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Report:
    """One file of the folder. `failed` is the message that it says was never delivered, if it says such a thing."""

    file: str
    failed: UUID | None


def return_address(bounces: str, message_id: str) -> str:
    """Where reports about one message go: its identity stands in the address itself."""
    local, _, domain = bounces.rpartition("@")
    return f"{local}+{message_id}@{domain}"


def read_reports(folder: Path) -> list[Report]:
    """The reports that have not been put away, some at a time."""
    files = sorted((folder / "new").glob("*"))[:MOST_AT_ONCE]
    return [Report(file.name, failed_message(_beginning(file))) for file in files]


def put_away(folder: Path, files: Collection[str]) -> None:
    """Marks reports as read; one that is gone is no error."""
    for name in files:
        try:
            (folder / "new" / name).rename(folder / "cur" / f"{name}:2,S")
        except FileNotFoundError:
            continue


def failed_message(raw: bytes) -> UUID | None:
    """The message of ours that a report says was never delivered.

    A report of a delay says no such thing, nor does an answer of an absent person, nor what is no report at all.
    """
    report = message_from_bytes(raw)
    status = next((part for part in report.walk() if part.get_content_type() == "message/delivery-status"), None)
    if status is None or "failed" not in {action.lower() for action in _actions(status)}:
        return None
    found = _RETURNED.search(_addressed_to(report)) or _MESSAGE_ID.search(_returned(report))
    return UUID(found[1]) if found else None


def _beginning(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MOST_BYTES)


def _actions(status: Message) -> list[str]:
    blocks = status.get_payload()
    return [str(block["Action"]).strip() for block in blocks if isinstance(block, Message) and block["Action"]]


def _addressed_to(report: Message) -> str:
    names = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
    return " ".join(str(value) for name in names for value in report.get_all(name, ()))


def _returned(report: Message) -> str:
    """What the report quotes of the message itself."""
    kinds = ("message/rfc822", "text/rfc822-headers")
    return "\n".join(part.as_string() for part in report.walk() if part.get_content_type() in kinds)
