"""Where does a request stand? Asked of intake over a connection of its own; see docs/decisions/0011."""

from __future__ import annotations

import threading
from pathlib import Path

from chassis.rpc import CommandFailed, NoAnswer, RpcClient
from chassis.sealing import Keyring
from contracts.commands.intake import StatusAnswer
from contracts.sealed import Credentials
from contracts.shape import InvalidShape

TIMEOUT_SECONDS = 5.0


class CantLook(Exception):
    """Intake or the broker is not there, or nobody may ask here; later it may be."""


class Enquiry:
    """Asks intake, one question at a time. `amqp_uri` is of a broker user that may do just that."""

    def __init__(self, amqp_uri: str | None, keys: Path) -> None:
        self._client = RpcClient(amqp_uri) if amqp_uri else None
        self._keyring = Keyring(keys)
        self._lock = threading.Lock()

    def ask(self, credentials: Credentials) -> StatusAnswer:
        """Raises CantLook."""
        if self._client is None:
            raise CantLook
        sealed = self._keyring.seal("intake", credentials)
        with self._lock:
            try:
                answer = self._client.call("intake", "status", timeout=TIMEOUT_SECONDS, sealed=sealed)
            except (NoAnswer, CommandFailed):
                raise CantLook from None
        try:
            return StatusAnswer.from_json(answer)
        except InvalidShape:
            raise CantLook from None

    def close(self) -> None:
        if self._client:
            with self._lock:
                self._client.close()
