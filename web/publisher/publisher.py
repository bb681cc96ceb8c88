"""Sends messages from a Python front-end to Leeward: seals, spools, publishes and waits for the broker's confirm.

::

    publisher = Publisher("amqp://web:…@broker/", keys=Path("keys"), spool=Path("spool"))
    receipt = publisher.request_help(submission)
    receipt.reference        # can be shown at once, even if the broker could not be reached

The message format is documented in `web/publisher/README.md`, for front-ends in other languages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import uuid_utils.compat

from chassis.observability import traces
from chassis.privacy.sealing import Keyring
from contracts.envelope import Envelope, source_of, to_headers
from contracts.event import Event
from contracts.events.web import (
    AlertAnswered,
    EvaluationReturned,
    HelpRequested,
    OfferAnswered,
    TherapyReported,
    WithdrawalRequested,
)
from contracts.reference import reference_for
from contracts.sealed import AlertAnswer, Credentials, EvaluationForm, HelpSubmission, OfferAnswer, TherapyAnswer
from contracts.vocabulary import SubmissionId
from web.publisher.sender import MOST_AT_ONCE, Sender
from web.publisher.spool import Spool, Spooled


@dataclass(frozen=True)
class Receipt:
    """What a front-end may show. If not `delivered`, the message is safe on this machine's disk, and sent later."""

    submission_id: SubmissionId
    delivered: bool
    reference: str | None = None


class Publisher:
    """Publishes to `web.events`. Thread-safe; messages of several threads are sent in one batch."""

    def __init__(self, amqp_uri: str, *, keys: Path, spool: Path) -> None:
        self._keyring = Keyring(keys)
        self._spool = Spool(spool)
        self._sender = Sender(amqp_uri, self._spool)

    def request_help(self, submission: HelpSubmission, *, form: str = "help", form_version: int = 1) -> Receipt:
        """Sends a request for help. Raises InvalidShape, naming the fields to put right, before anything is sent."""
        sealed = self._keyring.seal("intake", submission)
        id_ = _new_id()
        event = HelpRequested(submission_id=id_, form=form, form_version=form_version, sealed=sealed)
        return Receipt(id_, self._send(event), reference_for(id_))

    def withdraw(self, credentials: Credentials) -> Receipt:
        """Sends a client's withdrawal of their request."""
        id_ = _new_id()
        event = WithdrawalRequested(submission_id=id_, sealed=self._keyring.seal("intake", credentials))
        return Receipt(id_, self._send(event))

    def return_evaluation(self, form: EvaluationForm) -> Receipt:
        """Sends a filled-in evaluation form."""
        id_ = _new_id()
        event = EvaluationReturned(submission_id=id_, sealed=self._keyring.seal("evaluation", form))
        return Receipt(id_, self._send(event))

    def answer_offer(self, answer: OfferAnswer) -> Receipt:
        """Sends a therapist's acceptance or refusal of an offer."""
        id_ = _new_id()
        event = OfferAnswered(submission_id=id_, sealed=self._keyring.seal("matching", answer))
        return Receipt(id_, self._send(event))

    def answer_alert(self, answer: AlertAnswer) -> Receipt:
        """Sends the acknowledgement of a safeguarding alert by somebody on duty."""
        id_ = _new_id()
        event = AlertAnswered(submission_id=id_, sealed=self._keyring.seal("notifications", answer))
        return Receipt(id_, self._send(event))

    def report_therapy(self, answer: TherapyAnswer) -> Receipt:
        """Sends a therapist's report: contact made, first session, never attended, or ended."""
        id_ = _new_id()
        event = TherapyReported(submission_id=id_, sealed=self._keyring.seal("notifications", answer))
        return Receipt(id_, self._send(event))

    def deliver_spooled(self) -> int:
        """Sends what lies in the spool; call it at the start and regularly afterwards.

        Returns how many are still waiting.
        """
        waiting = self._spool.waiting()
        while messages := list(islice(waiting, MOST_AT_ONCE)):
            if not self._sender.send(messages):
                break  # the broker is away
        return len(self._spool)

    @property
    def put_aside(self) -> int:
        """How many files of the spool could not be read, and wait for a person."""
        return self._spool.put_aside

    def close(self) -> None:
        self._sender.stop()

    def _send(self, event: Event) -> bool:
        with traces.publishing(type(event).__name__) as context:
            message = _to_message(event, context)
            self._spool.put(message)
            return self._sender.send([message]) == 1


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
        body=event.encode().decode(),
    )
