"""Fails a message that was sent and did not arrive after all."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from chassis.ports import UnitOfWork
from contracts.vocabulary import Channel, MessageId
from services.notifications.application.alerts import record_alert_bounced
from services.notifications.application.queueing import bounce
from services.notifications.dependencies import Dependencies
from services.notifications.domain.messages import State
from services.notifications.domain.templates import Template
from services.notifications.store import messages

FAIL_UNDELIVERED = "take_back"

LOOK_AGAIN = timedelta(seconds=10)

TIME_TO_RECORD = timedelta(minutes=10)
"""Within this time it is recorded that a message went out, if it did; longer than the lease of its timer."""


def fail_undelivered(unit: UnitOfWork[Dependencies], message_id: MessageId, channels: Collection[Channel]) -> None:
    """Fails a message that went out by one of these channels and did not arrive. Does nothing about any other.

    The report may be here before it is recorded that the message went out. Then a timer looks again.
    """
    message = messages.find_message(unit.session, message_id)
    if message is None:
        return
    if message.is_queued:
        until = (unit.now + TIME_TO_RECORD).isoformat()
        unit.set_timer_after(FAIL_UNDELIVERED, message_id, LOOK_AGAIN, {"channels": sorted(channels), "until": until})
    elif message.state is State.SENT and message.channel in channels:
        bounce(unit, message)
        if message.template is Template.SAFEGUARDING_ALERT:
            record_alert_bounced(unit, message)
