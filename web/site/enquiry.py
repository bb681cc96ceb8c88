"""What may the site ask? Where a request stands, and what a letter's link opens; see docs/decisions/0011 and 0037.

Asked over connections of their own, by a user who may ask these things and nothing else.
"""

from __future__ import annotations

import queue
import time
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from chassis.bus.permissions import ENQUIRY
from chassis.privacy.ephemeral_key import OneTimeKey
from chassis.privacy.sealing import Keyring, NoKey, Unopenable
from chassis.rpc import CommandFailed, NoAnswer, RpcClient
from contracts.commands.evaluation import FormPage
from contracts.commands.intake import StatusAnswer
from contracts.commands.matching import OfferPage
from contracts.commands.notifications import AlertPage, ClientPage
from contracts.sealed import ClientChange, ClientContact, ClientLink, Credentials, LinkSecret, TypedCode
from contracts.shape import InvalidShape, Shape

TIMEOUT_SECONDS = 5.0
MOST_TYPED = 40
"""Characters of a code, which has six."""

MOST_AT_ONCE = 8
"""So many questions, each with a connection and a thread, may wait for intake; of a page's threads there are 40."""


ShapeT = TypeVar("ShapeT", bound=Shape)


class CantLook(Exception):
    """The service or the broker is not there or busy, or nobody may ask here; later it may be."""


class Enquiry:
    """Asks a few questions at a time. `amqp_uri` is of a broker user that may do just that."""

    def __init__(self, amqp_uri: str | None, keys: Path) -> None:
        self._keyring = Keyring(keys)
        self._connections = MOST_AT_ONCE if amqp_uri else 0
        self._free: queue.LifoQueue[RpcClient] = queue.LifoQueue()  # so that the ones in use are used again
        for _ in range(self._connections):
            self._free.put(RpcClient(str(amqp_uri), ENQUIRY))

    def ask(self, credentials: Credentials) -> StatusAnswer:
        """Raises CantLook, at once if as many as may be are asking."""
        return self._ask(StatusAnswer, "intake", "status", credentials)

    def change(self, change: ClientChange) -> StatusAnswer:
        """Has intake do what a client asks for themselves, and tell where it stands then. Raises CantLook."""
        return self._ask(StatusAnswer, "intake", "change_by_client", change)

    def open_form(self, token: str, language: str) -> FormPage:
        """What the link of a form opens. Raises CantLook."""
        return self._ask(FormPage, "evaluation", "open_form", LinkSecret(token=token), language=language)

    def open_offer(self, token: str) -> OfferPage:
        """Raises CantLook."""
        return self._ask(OfferPage, "matching", "open_offer", LinkSecret(token=token))

    def open_alert(self, token: str) -> AlertPage:
        """Raises CantLook."""
        return self._ask(AlertPage, "notifications", "open_alert", LinkSecret(token=token))

    def open_client(self, token: str, right: str | None) -> ClientPage:
        """What the link of an introduction opens, without how the client is reached. Raises CantLook."""
        return self._ask(ClientPage, "notifications", "open_client", ClientLink(token=token, right=right))

    def read_client(self, token: str, right: str | None) -> tuple[ClientPage, ClientContact | None]:
        """The same with how the client is reached, sealed to here on its way, which goes on record. Raises CantLook."""
        key, shown = OneTimeKey(), ClientLink(token=token, right=right)
        page = self._ask(ClientPage, "notifications", "open_client", shown, seal_to=key.public)
        try:
            return page, key.open(ClientContact, page.client) if page.client else None
        except (Unopenable, InvalidShape):
            raise CantLook from None

    def send_client_code(self, token: str) -> ClientPage:
        """Raises CantLook."""
        return self._ask(ClientPage, "notifications", "send_client_code", ClientLink(token=token))

    def enter_client_code(self, token: str, code: str, right: str) -> ClientPage:
        """`right` is a secret by which this browser is to be known if the code is right. Raises CantLook."""
        typed = TypedCode(token=token, code=code[:MOST_TYPED], right=right)
        return self._ask(ClientPage, "notifications", "enter_client_code", typed)

    def _ask(self, kind: type[ShapeT], service: str, command: str, secret: Shape, **fields: str) -> ShapeT:
        """The secret is sealed, so that it stands readable nowhere on its way."""
        try:
            sealed = self._keyring.seal(service, secret)
            client = self._free.get_nowait()
        except (queue.Empty, NoKey):
            raise CantLook from None
        try:
            answer = client.call(service, command, timeout=TIMEOUT_SECONDS, sealed=sealed, **fields)
            return kind.from_json(answer)
        except (NoAnswer, CommandFailed, InvalidShape):
            raise CantLook from None
        finally:
            self._free.put(client)

    def close(self) -> None:
        """Closes every connection, and waits a little for those that are in use."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        with suppress(queue.Empty):
            for _ in range(self._connections):
                self._free.get(timeout=max(0.0, deadline - time.monotonic())).close()
