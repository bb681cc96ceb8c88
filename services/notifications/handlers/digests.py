"""Digests: the office's messages that can wait, in one e-mail at set times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid5

from chassis.ports import Timer, UnitOfWork
from contracts.vocabulary import FailureReason, MessageId
from services.notifications.application.composition import compose_for_staff
from services.notifications.application.delivery import DeliveryResult, record_message_sent
from services.notifications.application.queueing import SEND_DIGEST, fail
from services.notifications.dependencies import Dependencies
from services.notifications.domain.messages import Message
from services.notifications.domain.templates import StandIn
from services.notifications.gateways.email import Rejected, compose_email
from services.notifications.store import messages

MAX_AT_ONCE = 100


@dataclass(frozen=True)
class Gathered:
    """The messages of one e-mail, and the result of sending it."""

    message_ids: Sequence[MessageId] = ()
    result: DeliveryResult = DeliveryResult()  # noqa: RUF009


def send_digest(unit: UnitOfWork[Dependencies], timer: Timer) -> Gathered:
    """Sends what waits for the office, if anything does. Raises OSError if trying again may help."""
    waiting = messages.waiting_for_digest(unit.session, limit=MAX_AT_ONCE)
    if not waiting:
        return Gathered()
    policy, templates = unit.dependencies.settings, unit.dependencies.templates
    text = templates.render(StandIn.DIGEST, {"items": [_item(unit, message) for message in waiting]})
    mail = compose_email(
        message_id=uuid5(waiting[0].id, StandIn.DIGEST),
        sender=str(policy.sender),
        to=policy.office.address,
        subject=text.subject,
        body=text.body,
        page=templates.page(text),
        at=unit.now,
    )
    message_ids = [message.id for message in waiting]
    try:
        unit.dependencies.mailer.send(mail)
    except Rejected:
        return Gathered(message_ids, DeliveryResult(failure=FailureReason.REJECTED))
    return Gathered(message_ids, DeliveryResult(wording=f"{StandIn.DIGEST}/{text.language}/{text.version}"))


def record_digest(unit: UnitOfWork[Dependencies], timer: Timer, gathered: Gathered) -> None:
    for message in messages.lock_messages(unit.session, gathered.message_ids):
        if not message.is_queued:
            continue
        if gathered.result.failure:
            fail(unit, message, gathered.result.failure)
        else:
            record_message_sent(unit, message, gathered.result)
    if len(gathered.message_ids) == MAX_AT_ONCE:
        unit.set_timer(SEND_DIGEST, timer.key, unit.now)


def record_digest_failed(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    ids = [message.id for message in messages.waiting_for_digest(unit.session, limit=MAX_AT_ONCE)]
    record_digest(unit, timer, Gathered(ids, DeliveryResult(failure=FailureReason.UNREACHABLE)))


def _item(unit: UnitOfWork[Dependencies], message: Message) -> dict[str, str]:
    composed = compose_for_staff(unit, message)
    text = unit.dependencies.templates.render(composed.template, composed.values)
    return {"subject": text.subject, "body": text.body.strip()}
