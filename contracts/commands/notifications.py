"""What a person's screen may ask of notifications, or tell it to do: `notifications.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from marshmallow import validate

from contracts.shape import SealedTo, Shape
from contracts.vocabulary import (
    AlertStep,
    Channel,
    ConcernCategory,
    ConcernId,
    ConcernOutcome,
    Count,
    DutyId,
    FailureReason,
    MessageId,
    OutcomeId,
    ReferralId,
    Severity,
    Slug,
    StaffId,
)

ResponsiblePerson = Annotated[str, validate.Regexp(r"\S"), validate.Length(min=1, max=120)]
"""The name of whoever takes a concern in hand. Never blank: nobody answers for what nobody signed."""

Sealed = Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=65_536)]

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
    reached_at: datetime | None = None


class RecordOutcome(Shape):
    """What was decided about a concern that somebody has taken in hand. A later decision stands beside earlier ones.

    `reason` holds a `contracts.sealed.OutcomeReason`.
    """

    concern_id: ConcernId
    outcome: ConcernOutcome
    decided_by: ResponsiblePerson
    reason: Sealed


class ListOutcomes(Shape):
    """What was decided about a concern, the earliest first? Never why."""

    concern_id: ConcernId


class OutcomeView(Shape):
    outcome_id: OutcomeId
    outcome: ConcernOutcome
    decided_by: str
    decided_at: datetime


class KeepStaff(Shape):
    """Somebody can be put on the safeguarding rota, or is reached in another way from now on.

    `contact` holds a `contracts.sealed.DutyContact`.
    """

    staff_id: StaffId
    contact: Sealed


class PlanDuty(Shape):
    """Somebody takes a step of the ladder from one day to another, both included."""

    staff_id: StaffId
    step: AlertStep
    starts_on: date
    ends_on: date
    bank_holidays: bool = False


class CancelDuty(Shape):
    duty_id: DutyId


class PlanLeave(Shape):
    """Somebody is not there from one day to another, both included."""

    staff_id: StaffId
    starts_on: date
    ends_on: date


class StaffKept(Shape):
    staff_id: StaffId


class DutyPlanned(Shape):
    duty_id: DutyId


class ShowRota(Shape):
    """Who is on duty on the coming days?"""

    days: Annotated[int, validate.Range(min=1, max=366)] = 14


class RotaDay(Shape):
    """One step on one day. Without `staff_id` alerts go to the mailbox in the settings."""

    day: date
    step: AlertStep
    staff_id: StaffId | None = None


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
