"""Bounced e-mail: a message that was sent and not delivered after all fails, and the office sees to it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from chassis.ports import Timer, UnitOfWork
from contracts.vocabulary import Channel, MessageId
from services.notifications.application.bounces import FAIL_UNDELIVERED, LOOK_AGAIN, fail_undelivered
from services.notifications.dependencies import Dependencies
from services.notifications.gateways.dsn import MAX_AT_ONCE, Report, mark_read, read_reports
from services.notifications.store import messages

READ_BOUNCES = "read_bounces"

FOLDER = "folder"
"""The key of the only timer, which a migration set for the first time."""

EVERY = timedelta(minutes=5)

BY_MAIL = frozenset({Channel.EMAIL, Channel.STAFF_CALL})
"""The office is asked by e-mail to make a call, so such a message can bounce too."""


def read_bounces(unit: UnitOfWork[Dependencies], timer: Timer) -> list[Report]:
    """Marks as read what was recorded last time, and reads what has come since. Raises OSError."""
    folder = unit.dependencies.settings.bounces
    if folder is None:
        return []
    mark_read(folder, timer.data.get("read", ()))
    return read_reports(folder)


def record_bounces(unit: UnitOfWork[Dependencies], timer: Timer, reports: Collection[Report]) -> None:
    for report in reports:
        if report.failed:
            fail_undelivered(unit, MessageId(report.failed), BY_MAIL)
    after = timedelta() if len(reports) == MAX_AT_ONCE else EVERY
    unit.set_timer_after(READ_BOUNCES, FOLDER, after, {"read": [report.file for report in reports]})


def read_bounces_later(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Every attempt to read the folder failed; it may be readable later."""
    unit.set_timer_after(READ_BOUNCES, FOLDER, EVERY, timer.data)


def fail_undelivered_later(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    message_id, channels = MessageId(UUID(timer.key)), [Channel(channel) for channel in timer.data["channels"]]
    message = messages.find_message(unit.session, message_id)
    if message is None or not message.is_queued:
        fail_undelivered(unit, message_id, channels)
    elif unit.now < datetime.fromisoformat(timer.data["until"]):
        unit.set_timer_after(FAIL_UNDELIVERED, message_id, LOOK_AGAIN, timer.data)
