"""What a person's screen may ask of notifications, or tell it to do: `notifications.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from marshmallow import validate

from contracts.shape import Shape
from contracts.vocabulary import (
    AlertStep,
    Channel,
    ConcernCategory,
    ConcernId,
    Count,
    FailureReason,
    MessageId,
    ReferralId,
    Severity,
    Slug,
)

ResponsiblePerson = Annotated[str, validate.Regexp(r"\S"), validate.Length(min=1, max=120)]
"""The name of whoever takes a concern in hand. Never blank: nobody answers for what nobody signed."""

Limit = Annotated[int, validate.Range(min=1, max=1_000)]


class AcknowledgeAlert(Shape):
    """A named person takes a safeguarding concern in hand, which ends the escalation."""

    concern_id: ConcernId
    acknowledged_by: ResponsiblePerson


class ListAlerts(Shape):
    """Which alerts wait for a person, the oldest first? With `all`, the acknowledged ones too."""

    all: bool = False
    limit: Limit = 100


class AlertView(Shape):
    """An alert and its escalation clock. `rounds` counts how often everybody has been alerted again."""

    concern_id: ConcernId
    referral_id: ReferralId
    severity: Severity
    category: ConcernCategory
    raised_at: datetime
    step: AlertStep
    rounds: Count
    escalates_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None


class ListMessages(Shape):
    """Which messages are there about a referral or a concern, the oldest first? Never what they say."""

    referral_id: ReferralId | None = None
    concern_id: ConcernId | None = None
    limit: Limit = 100


class MessageView(Shape):
    """A message, its state (`queued`, `sent`, `kept`, `failed` or `cancelled`) and since when it is in it."""

    message_id: MessageId
    template: Slug
    recipient: Slug
    channel: Channel
    state: Slug
    queued_at: datetime
    settled_at: datetime | None = None
    failure: FailureReason | None = None
