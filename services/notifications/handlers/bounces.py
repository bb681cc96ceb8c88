"""What came back: a message that was sent and not delivered after all is failed, and a person looks after it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from chassis.ports import Timer, Unit
from contracts.vocabulary import MessageId
from services.notifications import store
from services.notifications.domain.messages import State
from services.notifications.domain.templates import Template
from services.notifications.gateways.bounces import MOST_AT_ONCE, Report, put_away, read_reports
from services.notifications.handlers.alerts import note_bounce
from services.notifications.handlers.queueing import bounce
from services.notifications.tools import Tools

READ_BOUNCES = "read_bounces"
FOLDER = "folder"
"""The key of the one timer, which a migration has set for the first time."""

EVERY = timedelta(minutes=5)


def read_bounces(unit: Unit[Tools], timer: Timer) -> list[Report]:
    """Puts away what was taken account of last time, and reads what has come since. Raises OSError."""
    folder = unit.tools.settings.bounces
    if folder is None:
        return []
    put_away(folder, timer.data.get("read", ()))
    return read_reports(folder)


def record_bounces(unit: Unit[Tools], timer: Timer, reports: Collection[Report]) -> None:
    for report in reports:
        message = store.find_message(unit.session, MessageId(report.failed)) if report.failed else None
        if message and message.state is State.SENT:
            bounce(unit, message)
            if message.template is Template.SAFEGUARDING_ALERT:
                note_bounce(unit, message)
    at = unit.now if len(reports) == MOST_AT_ONCE else unit.now + EVERY
    unit.set_timer(READ_BOUNCES, FOLDER, at, {"read": [report.file for report in reports]})


def read_bounces_later(unit: Unit[Tools], timer: Timer) -> None:
    """The folder could not be read at any attempt; it may be back one day."""
    unit.set_timer(READ_BOUNCES, FOLDER, unit.now + EVERY, timer.data)
