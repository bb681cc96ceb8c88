"""Delivery receipts: what providers of text messages and letters report later, that one arrived or never did.

The JSON that they post, and its words, are settings, so that the code depends on no provider.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from chassis.host.webhooks import NotLetIn, Posted
from chassis.ports import Invalid

ID, STATUS = "{id}", "{status}"
FIELDS: Mapping[str, Any] = {"reference": ID, "status": STATUS}
FAILED = (
    "failed,undelivered,undeliverable,rejected,expired,returned,permanent-failure,temporary-failure,technical-failure"
)
FINE = "accepted,buffered,created,delivered,pending,printed,queued,received,sending,sent"
MAX_PUT_ASIDE = 1_000


@dataclass(frozen=True)
class Reporting:
    """How a gateway reports. It is let in by `token` (`Authorization: Bearer …`) or by `secret`, with which it signs
    the body (HMAC-SHA256, in hexadecimal, in the header `signature`); with neither nobody is.

    `fields` is the JSON that it posts, with {id} and {status} where these stand, and a list around what there may be
    many of. `failed` and `fine` are its words, in lower case.
    """

    token: str | None = None
    secret: str | None = None
    signature: str = "X-Signature"
    fields: Any = None
    failed: frozenset[str] = frozenset(FAILED.split(","))
    fine: frozenset[str] = frozenset(FINE.split(","))


@dataclass(frozen=True)
class Receipt:
    """A message of ours that the provider says never arrived."""

    message_id: UUID


def check_sender(reporting: Reporting, posted: Posted) -> None:
    """Raises NotLetIn. Compares in constant time."""
    given = posted.headers.get("authorization", "").removeprefix("Bearer ")
    if reporting.token and hmac.compare_digest(given.encode(), reporting.token.encode()):
        return
    if reporting.secret:
        signed = posted.headers.get(reporting.signature.lower(), "").removeprefix("sha256=").lower()
        ours = hmac.new(reporting.secret.encode(), posted.body, hashlib.sha256).hexdigest()
        if hmac.compare_digest(signed.encode(), ours.encode()):
            return
    raise NotLetIn


def read_receipts(reporting: Reporting, body: bytes, *, aside: Path) -> list[Receipt]:
    """What failed of what a body reports, each read by itself; what can't be read is put into the folder `aside`.

    A reference that isn't ours is ignored: people may use the same account. Raises Invalid if
    nothing can be read, and OSError if it can't be put aside.
    """
    try:
        entries = list(_entries(reporting.fields or FIELDS, json.loads(body)))
    except (ValueError, LookupError, TypeError, RecursionError):
        _put_aside(aside, body)
        raise Invalid("these are no receipts as the settings describe them") from None
    return [receipt for pattern, entry in entries if (receipt := _read(reporting, pattern, entry, aside))]


def count_put_aside(folder: Path) -> int:
    """How many bodies and receipts could not be read, and wait for a person."""
    return sum(1 for _ in folder.glob("*.json"))


def _read(reporting: Reporting, pattern: Any, entry: Any, aside: Path) -> Receipt | None:
    try:
        values = dict(_values(pattern, entry))
        reference, status = values[ID], str(values[STATUS]).lower()
        if status not in reporting.failed | reporting.fine:
            raise ValueError("a word that the settings don't know")
    except (ValueError, LookupError, TypeError, RecursionError):
        _put_aside(aside, json.dumps(entry).encode())
        return None
    message_id = _identity(reference)
    return Receipt(message_id) if message_id and status in reporting.failed else None


def _identity(reference: Any) -> UUID | None:
    try:
        return UUID(reference)
    except (ValueError, TypeError, AttributeError):
        return None


def _entries(pattern: Any, found: Any) -> Iterator[tuple[Any, Any]]:
    """Each thing that is reported, and the part of the pattern that describes it."""
    if isinstance(pattern, list):
        for entry in _listed(found):
            yield pattern[0], entry
    elif isinstance(found, list):
        for entry in found:
            yield pattern, entry
    else:
        key = next((key for key, part in pattern.items() if "[" in json.dumps(part)), None)
        if key is None:
            yield pattern, found
        else:
            yield from _entries(pattern[key], found[key])


def _listed(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise TypeError("no list")
    return found


def _values(pattern: Any, entry: Any) -> Iterator[tuple[str, Any]]:
    """What stands in an entry where the pattern has {id} and {status}."""
    if pattern in (ID, STATUS):
        yield pattern, entry
    elif isinstance(pattern, Mapping):
        for key, part in pattern.items():
            if part in (ID, STATUS) or isinstance(part, Mapping):
                yield from _values(part, entry[key])


def _put_aside(folder: Path, content: bytes) -> None:
    """Stores it for a person to look at, once however often it comes. Raises OSError, also if there is too much."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = folder / f"{hashlib.sha256(content).hexdigest()}.json"
    if kept.exists():
        return
    if count_put_aside(folder) >= MAX_PUT_ASIDE:
        raise OSError("a person must first look at what lies aside")
    written = kept.with_suffix(".new")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    written.replace(kept)
