"""Sends each message when its time has come, and records what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from chassis.ports import Timer, UnitOfWork
from contracts.vocabulary import MessageId
from services.notifications.application import delivery
from services.notifications.application.delivery import DeliveryResult
from services.notifications.dependencies import Dependencies
from services.notifications.store import messages


def deliver(unit: UnitOfWork[Dependencies], timer: Timer) -> DeliveryResult:
    """Sends one message, if it may go now. Raises OSError if trying again may help."""
    return delivery.deliver(unit, _message_id(timer))


def record_sent(unit: UnitOfWork[Dependencies], timer: Timer, result: DeliveryResult) -> None:
    delivery.record_result(unit, messages.get_message(unit.session, _message_id(timer)), result)


def record_failed(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    delivery.give_up(unit, messages.get_message(unit.session, _message_id(timer)))


def flush_mail(unit: UnitOfWork[Dependencies]) -> None:
    """Returns once what this thread has sent survives a power cut. Raises OSError."""
    unit.dependencies.mailer.flush()


def read_ahead(unit: UnitOfWork[Dependencies], timers: Sequence[Timer]) -> object:
    """What `deliver` looks up about many messages, read in one go."""
    return messages.read_ahead(unit.session, _message_ids(timers))


def lock_ahead(unit: UnitOfWork[Dependencies], timers: Sequence[Timer]) -> object:
    """The messages that `record_sent` is about to settle, read in one go."""
    return messages.lock_messages(unit.session, _message_ids(timers))


def _message_ids(timers: Sequence[Timer]) -> list[MessageId]:
    return [_message_id(timer) for timer in timers]


def _message_id(timer: Timer) -> MessageId:
    return MessageId(UUID(timer.key))
