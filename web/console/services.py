"""Asks the services, and gives them commands, for whoever is signed in: signed with the console's key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from queue import Empty, LifoQueue
from typing import Any
from uuid import UUID

from chassis.access.actor import Person, SignIn
from chassis.access.tokens import Signer
from chassis.rpc import CommandFailed, NoAnswer, RpcClient
from web.shared.accounts.domain.sessions import SignedIn

TIMEOUT_SECONDS = 10.0
SENDINGS = 5
"""How often a command is signed and sent, where a form is sent many times at once."""

OVERTAKEN = "TokenNotValid"
"""What a service says of a token, too, when one that was signed after it for the same command came first."""


class Services:
    """The services on the broker. Its connections are opened as they are needed, and one is used by one page at a
    time."""

    def __init__(self, amqp_uri: str, signer: Signer) -> None:
        self._amqp_uri, self._signer = amqp_uri, signer
        self._idle: LifoQueue[RpcClient] = LifoQueue()

    def ask(
        self,
        who: SignedIn,
        service: str,
        command: str,
        *,
        command_id: UUID | None = None,
        timeout: float = TIMEOUT_SECONDS,
        **fields: Any,
    ) -> Any:
        """The answer, as JSON. Raises CommandFailed, NoAnswer.

        After NoAnswer the same `command_id` asks again, and what was done is not done twice. What is None is left out.
        """
        return self.give(person_of(who), service, command, command_id=command_id, timeout=timeout, **fields)

    def give(
        self,
        person: Person,
        service: str,
        command: str,
        *,
        command_id: UUID | None = None,
        timeout: float = TIMEOUT_SECONDS,
        **fields: Any,
    ) -> Any:
        """The same for a person as a token is to vouch for them. Raises CommandFailed, NoAnswer."""

        def sign(service: str, command: str, fields: Mapping[str, Any], command_id: UUID | None) -> str:
            return self._signer.sign(person, service, command, fields, command_id)

        given = {name: value for name, value in fields.items() if value is not None}
        with self._client() as client:
            send = partial(client.call, service, command, timeout=timeout, sign=sign, command_id=command_id, **given)
            for _ in range(SENDINGS - 1):
                try:
                    return send()
                except CommandFailed as failed:
                    if failed.name != OVERTAKEN or command_id is None:
                        raise
            return send()

    @contextmanager
    def _client(self) -> Iterator[RpcClient]:
        try:
            client = self._idle.get_nowait()
        except Empty:
            client = RpcClient(self._amqp_uri)
        try:
            yield client
        except NoAnswer:
            client.close()  # an answer that comes late must not be taken for the next one's
            raise
        finally:
            self._idle.put(client)

    def close(self) -> None:
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return


def person_of(who: SignedIn) -> Person:
    """Somebody who is signed in, as tokens vouch for them: by their account, never by their name."""
    return Person(
        name=str(who.account_id),
        permissions=who.permissions,
        signed_in=SignIn(at=who.authenticated_at, factor=who.factor.value),
        therapist_id=who.therapist_id,
    )
