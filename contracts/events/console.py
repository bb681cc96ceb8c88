"""What the console's read model publishes, on `console.events`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from marshmallow import validate

from contracts.accounts import AccountId
from contracts.event import Event
from contracts.vocabulary import ReferralId, Slug


class ErasureConfirmed(Event, publisher="console", subject="referral_id"):
    """The console has forgotten an erased referral: what it listed of it, and every event that it kept."""

    referral_id: ReferralId


class ReferralAssigned(Event, publisher="console", subject="referral_id"):
    """A referral became somebody's work (`account_id`), or nobody's, because somebody said so."""

    referral_id: ReferralId
    account_id: AccountId | None = None
    assigned_by: AccountId | None = None
    assigned_at: datetime | None = None


class ListChanged(Event, publisher="console", subject="subject_id"):
    """Something about a referral (`subject_id`) is listed otherwise than before: pages that show it look again.

    `queues` are the work queues that look different now. It says nothing of what has changed.
    """

    subject_id: UUID
    queues: Annotated[tuple[Slug, ...], validate.Length(max=10)] = ()
