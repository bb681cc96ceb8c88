"""Snapshots: where referrals stand in a service now, for a console that wasn't there when it was said.

Each service answers `<service>.snapshots` in the same shape, a page at a time, and `console.fill` takes a page in. A
snapshot is written like an event, so that lists follow from both in the same way, and is on no exchange. It holds no
personal data and no reference.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from marshmallow import validate

from contracts.accounts import AccountId
from contracts.command import Command, Query
from contracts.event import Event
from contracts.events.intake import ReferralAssessed, ReferralReceived, ReferralStepTaken
from contracts.permissions import Permission
from contracts.shape import Shape
from contracts.vocabulary import (
    AlertStep,
    ConcernCategory,
    ConcernId,
    ConcernOutcome,
    Count,
    Kilometres,
    MatchId,
    ReferralId,
    Severity,
    StallReason,
    TherapistId,
)

MOST_REFERRALS, MOST_CONCERNS = 500, 5_000
"""In a page. A page of concerns has all that there are about its referrals."""


class ReferralSnapshot(Event, publisher="intake", subject="referral_id"):
    """Where a referral stands in intake: what it would say again of it, with the newest step.

    `number` is that of intake's newest event about it; whatever has a greater one is newer than this. `taken_up_by` is
    the account of whoever took it up last.
    """

    referral_id: ReferralId
    number: Count
    step: ReferralStepTaken
    state_since: datetime
    taken_up_by: AccountId | None = None
    received: ReferralReceived
    assessed: ReferralAssessed | None = None


class SearchSnapshot(Event, publisher="matching", subject="referral_id"):
    """Where the search stands: the open offer, what it lacks, or the match. `therapist_id` is the last one's.

    `number` as in `ReferralSnapshot`, of matching's events.
    """

    referral_id: ReferralId
    number: Count
    offers_made: Count
    offered_to: TherapistId | None = None
    offer_expires_at: datetime | None = None
    offer_distance_km: Kilometres | None = None
    stalled_for: StallReason | None = None
    match_id: MatchId | None = None
    therapist_id: TherapistId | None = None
    matched_at: datetime | None = None


class SubsidyStanding(StrEnum):
    APPROVED = "approved"
    WAITLISTED = "waitlisted"
    DECLINED = "declined"
    RELEASED = "released"


class SubsidySnapshot(Event, publisher="billing", subject="referral_id"):
    """How a referral's subsidy stands, where one was decided. `number` as before, of billing's events."""

    referral_id: ReferralId
    number: Count
    standing: SubsidyStanding


class ConcernSnapshot(Event, publisher="notifications", subject="concern_id"):
    """How far a concern's alert has come. `step` was reached at `climbed_at`; both are missing until it has gone out.

    `outcome` is the newest that was recorded. `number` as before, of notifications' events about the concern.
    """

    concern_id: ConcernId
    referral_id: ReferralId
    number: Count
    severity: Severity
    category: ConcernCategory
    raised_at: datetime
    step: AlertStep | None = None
    climbed_at: datetime | None = None
    acknowledged_at: datetime | None = None
    outcome: ConcernOutcome | None = None
    outcome_at: datetime | None = None


Snapshot = ReferralSnapshot | SearchSnapshot | SubsidySnapshot | ConcernSnapshot

Referrals = Annotated[tuple[ReferralSnapshot, ...], validate.Length(max=MOST_REFERRALS)]
Searches = Annotated[tuple[SearchSnapshot, ...], validate.Length(max=MOST_REFERRALS)]
Subsidies = Annotated[tuple[SubsidySnapshot, ...], validate.Length(max=MOST_REFERRALS)]
Concerns = Annotated[tuple[ConcernSnapshot, ...], validate.Length(max=MOST_CONCERNS)]


class ListSnapshots(Query, needs=Permission.REBUILD_LISTS):
    """Where do the next `limit` referrals after `after` stand? In the order of their identifiers; no erased ones."""

    after: ReferralId | None = None
    limit: Annotated[int, validate.Range(min=1, max=MOST_REFERRALS)] = 200


class SnapshotPage(Shape):
    """A service fills in its own kind. `after` is where to go on; None at the end."""

    referrals: Referrals = ()
    searches: Searches = ()
    subsidies: Subsidies = ()
    concerns: Concerns = ()
    after: ReferralId | None = None


class FillReadModel(Command, needs=Permission.REBUILD_LISTS):
    """Takes in where referrals stand, from a page of each kind or of one. What is newer than a snapshot stays.

    Referrals that were erased are left out, and what other services say of referrals that intake hasn't spoken of.
    """

    referrals: Referrals = ()
    searches: Searches = ()
    subsidies: Subsidies = ()
    concerns: Concerns = ()


class Filled(Shape):
    """How many snapshots were news."""

    snapshots: Count
