"""Text messages and letters: into a folder, or to any provider that takes JSON over HTTP.

The fields that the provider wants are a setting, so that the code depends on none.
"""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

from services.notifications.gateways.email import Rejected

REFUSED_FOR_GOOD = (400, 410, 413, 422)
"""HTTP statuses that are about the message itself. Others, such as for an expired token, may be put right."""

_PLACES = re.compile(r"(\{(?:to|text|id)\})")

FIELDS: Mapping[str, Any] = {"to": "{to}", "text": "{text}", "reference": "{id}"}


@dataclass(frozen=True)
class OutboundMessage:
    """A text message to a telephone number, or a letter to a postal address."""

    message_id: UUID
    to: str
    text: str


class Provider(Protocol):
    def send(self, message: OutboundMessage) -> None:
        """Hands the message over. Raises Rejected, or OSError if trying again may help."""


@dataclass(frozen=True)
class FolderProvider:
    """Writes each message into a file with its id as the name, for people to print, and for development."""

    folder: Path

    def send(self, message: OutboundMessage) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        written = self.folder / f"{message.message_id}.new"
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{message.to}\n\n{message.text}\n")
            file.flush()
            os.fsync(file.fileno())
        written.replace(self.folder / f"{message.message_id}.txt")


@dataclass(frozen=True, kw_only=True)
class HttpProvider:
    """Posts each message as JSON. `fields` is what is posted, with {to}, {text} and {id} filled in wherever they stand.

    A message posted again has the same Idempotency-Key. `authorization` is the whole header, such as `Bearer …`.
    """

    url: str
    authorization: str | None
    fields: Mapping[str, Any]
    timeout_seconds: float

    def send(self, message: OutboundMessage) -> None:
        values = {"{to}": message.to, "{text}": message.text, "{id}": str(message.message_id)}
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(message.message_id)}
        if self.authorization:
            headers["Authorization"] = self.authorization
        status = self._post(json.dumps(_filled(self.fields, values)).encode(), headers)
        # The answer may repeat the number or the address, so only its status is passed on.
        if status in REFUSED_FOR_GOOD:
            raise Rejected(f"the gateway refused the message for good ({status})")
        if not 200 <= status < 300:
            raise OSError(f"the gateway did not take the message ({status})")

    def _post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer; a redirection is not followed, because the authorization is for one place."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.timeout_seconds)
        try:
            path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        except http.client.HTTPException as error:
            raise OSError(f"the gateway's answer can't be read ({type(error).__name__})") from None
        finally:
            connection.close()


def _filled(template: Any, values: Mapping[str, str]) -> Any:
    """The same JSON with the values in its strings. Placeholders inside a value are left as they are."""
    if isinstance(template, Mapping):
        return {name: _filled(part, values) for name, part in template.items()}
    if isinstance(template, list):
        return [_filled(part, values) for part in template]
    if not isinstance(template, str):
        return template
    return "".join(values.get(piece, piece) for piece in _PLACES.split(template))


def provider_for(
    url: str, *, authorization: str | None, fields: Mapping[str, Any], timeout_seconds: float
) -> Provider | None:
    """The provider that `folder:<folder>` or an HTTP address names; None for `office`, where people do it by hand."""
    parts = urlsplit(url)
    if parts.scheme == "folder":
        return FolderProvider(Path(parts.path))
    if parts.scheme in ("http", "https"):
        return HttpProvider(url=url, authorization=authorization, fields=fields, timeout_seconds=timeout_seconds)
    return None
