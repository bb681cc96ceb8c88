"""What notifications publishes, on `notifications.events`: that a message went, never what it said or to whom."""

from __future__ import annotations

from datetime import date, datetime

from contracts.event import Event
from contracts.vocabulary import (
    AlertStep,
    Channel,
    ConcernId,
    ConcernOutcome,
    FailureReason,
    MatchEndReason,
    MatchId,
    MessageId,
    ReferralId,
    Slug,
    TherapistId,
    TherapyReport,
)


class MessageSent(Event, publisher="notifications", subject="message_id"):
    """A message was handed to the next hop of its channel, which took it."""

    message_id: MessageId
    template: Slug
    channel: Channel
    referral_id: ReferralId | None = None


class MessageFailed(Event, publisher="notifications", subject="message_id"):
    """The message could not be sent and a person should look."""

    message_id: MessageId
    template: Slug
    channel: Channel
    reason: FailureReason
    referral_id: ReferralId | None = None


class SafeguardingAlertSent(Event, publisher="notifications", subject="concern_id"):
    """An alert went to the person of this step, by one of the channels that they have."""

    concern_id: ConcernId
    referral_id: ReferralId
    step: AlertStep
    sent_at: datetime
    channel: Channel | None = None


class SafeguardingAlertAcknowledged(Event, publisher="notifications", subject="concern_id"):
    """A named person has taken the concern in hand; the name is on record in notifications."""

    concern_id: ConcernId
    referral_id: ReferralId
    step: AlertStep
    acknowledged_at: datetime


class SafeguardingAlertEscalated(Event, publisher="notifications", subject="concern_id"):
    """Nobody acknowledged in time, so the next person is alerted too."""

    concern_id: ConcernId
    referral_id: ReferralId
    step: AlertStep
    escalated_at: datetime


class SafeguardingOutcomeRecorded(Event, publisher="notifications", subject="concern_id"):
    """A named person decided about a concern. The reasons are on record in notifications, encrypted."""

    concern_id: ConcernId
    referral_id: ReferralId
    outcome: ConcernOutcome
    recorded_at: datetime


class TherapyReportAccepted(Event, publisher="notifications", subject="referral_id"):
    """The therapist whom a client was introduced to says how it goes on: who keeps the fact records it.

    `on` is the day of making contact or of the first session; `reason` is why it has ended. `reported_at` tells one
    that is said again from one that was said before it was put right.
    """

    match_id: MatchId
    referral_id: ReferralId
    therapist_id: TherapistId
    what: TherapyReport
    reported_at: datetime
    on: date | None = None
    reason: MatchEndReason | None = None


class ErasureConfirmed(Event, publisher="notifications", subject="referral_id"):
    """Notifications has forgotten how an erased referral's client was reached, and what was still to be said."""

    referral_id: ReferralId
