"""The one-time link of an alert: whom it is for, and how long it can be answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.vocabulary import AlertStep, ConcernId, LinkState, MessageId, StaffId
from services.notifications.domain.alerts import Alert


@dataclass(kw_only=True, eq=False)
class AlertLink:
    """Goes with one message of an alert, to whoever is on duty for `step` as it is sent.

    `staff_id` is who that was; None where the rota had nobody, and it went to the mailbox of the settings.
    """

    token_hash: bytes
    message_id: MessageId
    concern_id: ConcernId
    step: AlertStep
    made_at: datetime
    sent_at: datetime | None = None
    staff_id: StaffId | None = None

    def record_sent(self, *, to: StaffId | None, at: datetime) -> None:
        self.staff_id, self.sent_at = to, at

    def state(self, alert: Alert, *, on_duty: StaffId | None, at: datetime, lasts: timedelta) -> LinkState:
        """What can still be done with it, if `on_duty` is on duty for its step now."""
        if not alert.is_open:
            return LinkState.ANSWERED
        if at >= self.made_at + lasts:
            return LinkState.EXPIRED
        if self.sent_at is not None and self.staff_id != on_duty:
            return LinkState.WITHDRAWN
        return LinkState.OPEN
