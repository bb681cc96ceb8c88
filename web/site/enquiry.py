"""The queries that the site may make: a request's status, and what one-time links open (decisions 0011 and 0037).

They use connections of their own, as a broker user that is allowed these queries and nothing else.
"""

from __future__ import annotations

import queue
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

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
"""The most characters of a typed code that are sent on; a code has six digits."""

MOST_AT_ONCE = 8
"""How many queries may wait for a service at once. Each takes a connection and one of the 40 threads for pages."""


ShapeT = TypeVar("ShapeT", bound=Shape)


class EnquiryUnavailable(Exception):
    """No answer: the service or broker is away or busy, or the site has no user for queries. It may work later."""


class Enquiry:
    """Makes up to MOST_AT_ONCE queries at a time. Without `amqp_uri` each raises EnquiryUnavailable."""

    def __init__(self, amqp_uri: str | None, keys: Path) -> None:
        self._keyring = Keyring(keys)
        self._connections = MOST_AT_ONCE if amqp_uri else 0
        # Last in, first out, so that connections which are open already are preferred.
        self._free: queue.LifoQueue[RpcClient] = queue.LifoQueue()
        for _ in range(self._connections):
            self._free.put(RpcClient(str(amqp_uri), ENQUIRY))

    def ask(self, credentials: Credentials) -> StatusAnswer:
        """A request's status. Raises EnquiryUnavailable, at once if MOST_AT_ONCE queries are running."""
        return self._ask(StatusAnswer, "intake", "status", credentials)

    def change(self, change: ClientChange) -> StatusAnswer:
        """Has intake carry out a client's own change; returns the status after it. Raises EnquiryUnavailable."""
        return self._ask(StatusAnswer, "intake", "change_by_client", change)

    def open_form(self, token: str, language: str) -> FormPage:
        """What the link of a form opens. Raises EnquiryUnavailable."""
        return self._ask(FormPage, "evaluation", "open_form", LinkSecret(token=token), language=language)

    def open_offer(self, token: str) -> OfferPage:
        """Raises EnquiryUnavailable."""
        return self._ask(OfferPage, "matching", "open_offer", LinkSecret(token=token))

    def open_alert(self, token: str) -> AlertPage:
        """Raises EnquiryUnavailable."""
        return self._ask(AlertPage, "notifications", "open_alert", LinkSecret(token=token))

    def open_client(self, token: str, right: str | None) -> ClientPage:
        """What the link of an introduction opens, without the client's contact. Raises EnquiryUnavailable."""
        return self._ask(ClientPage, "notifications", "open_client", ClientLink(token=token, right=right))

    def read_client(self, token: str, right: str | None) -> tuple[ClientPage, ClientContact | None]:
        """As `open_client`, with the client's contact, sealed to this process. The reading is audited.

        Raises EnquiryUnavailable.
        """
        key, shown = OneTimeKey(), ClientLink(token=token, right=right)
        page = self._ask(ClientPage, "notifications", "open_client", shown, seal_to=key.public)
        try:
            return page, key.open(ClientContact, page.client) if page.client else None
        except (Unopenable, InvalidShape):
            raise EnquiryUnavailable from None

    def send_client_code(self, token: str) -> ClientPage:
        """Raises EnquiryUnavailable."""
        return self._ask(ClientPage, "notifications", "send_client_code", ClientLink(token=token))

    def enter_client_code(self, token: str, code: str, right: str) -> ClientPage:
        """If the code is right, the secret `right` identifies this browser from then on. Raises EnquiryUnavailable."""
        typed = TypedCode(token=token, code=code[:MOST_TYPED], right=right)
        return self._ask(ClientPage, "notifications", "enter_client_code", typed)

    def _ask(self, kind: type[ShapeT], service: str, command: str, secret: Shape, **fields: Any) -> ShapeT:
        """Sends a query with its secret sealed to the service, so that the broker never has it in the clear."""
        try:
            sealed = self._keyring.seal(service, secret)
            client = self._free.get_nowait()
        except (queue.Empty, NoKey):
            raise EnquiryUnavailable from None
        try:
            answer = client.call(service, command, timeout=TIMEOUT_SECONDS, sealed=sealed, **fields)
            return kind.from_json(answer)
        except (NoAnswer, CommandFailed, InvalidShape):
            raise EnquiryUnavailable from None
        finally:
            self._free.put(client)

    def close(self) -> None:
        """Closes every connection, and waits a little for those that are in use."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        with suppress(queue.Empty):
            for _ in range(self._connections):
                self._free.get(timeout=max(0.0, deadline - time.monotonic())).close()
