"""What a Python front-end needs to send to Leeward: seal, spool, publish, wait for the broker's confirm.

::

    publisher = Publisher("amqp://web:…@broker/", keys=Path("keys"), spool=Path("spool"))
    receipt = publisher.request_help(submission)
    receipt.reference        # to show at once, whether or not the broker could be reached

The raw message is documented in `web/publisher/README.md`, so that any other language can do the same.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pika
import uuid_utils.compat
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

from chassis import traces
from chassis.sealing import Keyring
from contracts.envelope import Envelope, source_of, to_headers
from contracts.event import Event
from contracts.events.web import EvaluationReturned, HelpRequested, WithdrawalRequested
from contracts.reference import reference_for
from contracts.sealed import Credentials, EvaluationForm, HelpSubmission
from contracts.vocabulary import SubmissionId
from web.publisher.spool import Spool, Spooled

HEARTBEAT_SECONDS = 20
BLOCKED_SECONDS = 10


@dataclass(frozen=True)
class Receipt:
    """What a front-end may tell its user. Undelivered means: safe on this machine's disk, and sent on later."""

    submission_id: SubmissionId
    delivered: bool
    reference: str | None = None


class Publisher:
    """Sends to `web.events`. May be used by several threads; opens its connection when it needs one."""

    def __init__(self, amqp_uri: str, *, keys: Path, spool: Path) -> None:
        self._parameters = pika.URLParameters(amqp_uri)
        self._parameters.heartbeat = HEARTBEAT_SECONDS
        self._parameters.blocked_connection_timeout = BLOCKED_SECONDS
        self._keyring = Keyring(keys)
        self._spool = Spool(spool)
        self._lock = threading.Lock()
        self._connection: pika.BlockingConnection | None = None

    def request_help(self, submission: HelpSubmission, *, form: str = "help", form_version: int = 1) -> Receipt:
        """Sends a request for help. Raises InvalidShape, naming the fields to put right, before anything is sent."""
        sealed = self._keyring.seal("intake", submission)
        id_ = _new_id()
        event = HelpRequested(submission_id=id_, form=form, form_version=form_version, sealed=sealed)
        return Receipt(id_, self._send(event), reference_for(id_))

    def withdraw(self, credentials: Credentials) -> Receipt:
        """Sends the wish to take a request back."""
        id_ = _new_id()
        event = WithdrawalRequested(submission_id=id_, sealed=self._keyring.seal("intake", credentials))
        return Receipt(id_, self._send(event))

    def return_evaluation(self, form: EvaluationForm) -> Receipt:
        """Sends a filled-in evaluation form."""
        id_ = _new_id()
        event = EvaluationReturned(submission_id=id_, sealed=self._keyring.seal("evaluation", form))
        return Receipt(id_, self._send(event))

    def deliver_spooled(self) -> int:
        """Sends on what could not be delivered before; call it at the start and every now and then.

        Returns how many are still waiting.
        """
        with self._lock:
            for message in self._spool.waiting():
                if not self._deliver(message):
                    break
        return len(self._spool)

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    def _send(self, event: Event) -> bool:
        with traces.publishing(type(event).__name__) as context:
            message = _to_message(event, context)
            self._spool.put(message)
            with self._lock:
                return self._deliver(message)

    def _deliver(self, message: Spooled) -> bool:
        """Whether the broker has confirmed the message, which then leaves the spool."""
        properties = pika.BasicProperties(
            message_id=message.message_id,
            content_type="application/json",
            delivery_mode=pika.DeliveryMode.Persistent,
            headers=message.headers,
        )
        try:
            self._channel_ready().basic_publish(
                message.exchange, message.routing_key, message.body.encode(), properties, mandatory=True
            )
        except (AMQPError, OSError):
            # Unreachable, blocked, refused, or intake has never run there: it stays in the spool.
            self._disconnect()
            return False
        self._spool.remove(message)
        return True

    def _channel_ready(self) -> BlockingChannel:
        if self._connection is not None:
            try:
                self._connection.process_data_events(0)  # answers heartbeats, and notices a lost connection
            except (AMQPError, OSError):
                self._disconnect()
        if self._connection is None:
            self._connection = pika.BlockingConnection(self._parameters)
            self._channel = self._connection.channel()
            self._channel.confirm_delivery()
        return self._channel

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and connection.is_open:
            try:
                connection.close()
            except (AMQPError, OSError):
                return


def _new_id() -> SubmissionId:
    return SubmissionId(uuid_utils.compat.uuid7())


def _to_message(event: Event, trace_context: str | None) -> Spooled:
    envelope = Envelope(
        id=event.subject,
        source=source_of(event.publisher),
        type=type(event).__name__,
        time=datetime.now(UTC),
        subject=str(event.subject),
        dataschema=event.dataschema(),
        traceparent=trace_context,
        correlation_id=str(event.subject),
    )
    return Spooled(
        message_id=str(envelope.id),
        exchange=event.exchange(),
        routing_key=envelope.type,
        headers=to_headers(envelope),
        body=json.dumps(event.checked_json()),
    )
