"""What a person's screen may ask of the console's read model, or tell it to do: `console.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from marshmallow import validate

from contracts.accounts import AccountId
from contracts.command import Command, Query
from contracts.permissions import Permission
from contracts.shape import Shape
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    Competence,
    ConcernCategory,
    Count,
    Kilometres,
    Language,
    LocalAuthority,
    PlaceKind,
    ReferralId,
    RiskLevel,
    Route,
    Sessions,
    Severity,
    Slug,
    TherapistId,
    Work,
)


class Cursor(Shape):
    """Where a page of a queue begins: after this item of the page before."""

    at: datetime
    subject_id: UUID


class WorkQueue(StrEnum):
    """What referrals, or concerns, wait for somebody to do. Which one a referral is in follows from its state."""

    NEW_REQUESTS = "new_requests"
    SPAM_REVIEW = "spam_review"
    ASSESSMENTS = "assessments"
    PAUSED = "paused"
    WAITING = "waiting"
    OFFERS = "offers"
    FIRST_SESSIONS = "first_sessions"
    CONCERNS = "concerns"


class Order(StrEnum):
    DUE = "due"
    """What is due first, first; what has no date comes last, the longest there first."""
    LONGEST = "longest"
    """What has been in the queue longest, first."""
    NEWEST = "newest"


class Assigned(StrEnum):
    """Whose work to list."""

    MINE = "mine"
    NOBODYS = "nobodys"


class ListQueue(Query, needs=Permission.SEE_REFERRALS):
    """What is in a work queue? A page at a time; `after` is the answer's, for the next one."""

    queue: WorkQueue
    order: Order = Order.DUE
    assigned: Assigned | None = None
    overdue: bool = False
    client_group: ClientGroup | None = None
    risk_level: RiskLevel | None = None
    after: Cursor | None = None
    limit: Annotated[int, validate.Range(min=1, max=200)] = 50


class QueueItem(Shape):
    """A referral, or a concern about one, that waits. `reason` is why it is paused, or what a search lacks.

    `subject_id` is the concern's identifier in the queue of concerns, and else the referral's. The reference by which
    people know it isn't here; intake tells it (`intake.references`).
    """

    subject_id: UUID
    referral_id: ReferralId
    since: datetime
    due_at: datetime | None = None
    assigned_to: AccountId | None = None
    client_group: ClientGroup | None = None
    risk_level: RiskLevel | None = None
    route: Route | None = None
    local_authority: LocalAuthority | None = None
    needs_safeguarding_lead: bool = False
    place: PlaceKind = PlaceKind.FOUND
    reason: Slug | None = None
    offers_made: Count = 0
    offer_distance_km: Kilometres | None = None
    severity: Severity | None = None
    category: ConcernCategory | None = None
    acknowledged_at: datetime | None = None


class QueuePage(Shape):
    """`items` of this page; `after` is None at the end. `version` changes whenever anything in the queue does."""

    items: tuple[QueueItem, ...]
    after: Cursor | None = None
    version: Count


class CountQueues(Query, needs=Permission.SEE_REFERRALS):
    """How much is in each queue?"""


class QueueCount(Shape):
    """`mine` is what is assigned to whoever asks. `unacknowledged` counts concerns that nobody has in hand yet."""

    queue: WorkQueue
    total: Count
    overdue: Count
    mine: Count
    unacknowledged: Count = 0
    oldest_at: datetime | None = None


class ShowReferral(Query, needs=Permission.SEE_REFERRALS):
    """What is known of a referral without personal data?"""

    referral_id: ReferralId


class ConcernFacts(Shape):
    concern_id: UUID
    severity: Severity
    category: ConcernCategory
    raised_at: datetime
    step: Slug | None = None
    acknowledged_at: datetime | None = None
    outcome: Slug | None = None


class ReferralFacts(Shape):
    """A referral as the console knows it, from what services have published. `seen` is what commands name.

    `version` counts what has been heard of it. `is_new_to_me`: somebody else made it the work of whoever asks, who
    hasn't opened it since.
    """

    referral_id: ReferralId
    state: Slug
    since: datetime
    seen: Count
    version: Count
    queue: WorkQueue | None = None
    due_at: datetime | None = None
    reason: Slug | None = None
    received_at: datetime | None = None
    route: Route | None = None
    client_group: ClientGroup | None = None
    age_band: AgeBand | None = None
    local_authority: LocalAuthority | None = None
    language: Language | None = None
    sessions: Sessions | None = None
    previous_referral_id: ReferralId | None = None
    needs_safeguarding_lead: bool = False
    place: PlaceKind = PlaceKind.FOUND
    assigned_to: AccountId | None = None
    assessed_at: datetime | None = None
    risk_level: RiskLevel | None = None
    competence: Competence | None = None
    work: Work | None = None
    offers_made: Count = 0
    offered_to: TherapistId | None = None
    offer_expires_at: datetime | None = None
    offer_distance_km: Kilometres | None = None
    therapist_id: TherapistId | None = None
    match_id: UUID | None = None
    matched_at: datetime | None = None
    subsidy: Slug | None = None
    concerns: tuple[ConcernFacts, ...] = ()
    is_new_to_me: bool = False


class ListEvents(Query, needs=Permission.SEE_EVENTS):
    """What happened to a referral in all services, or in one? The newest first, a page at a time.

    `subject_id` asks only for what was said of that, as a concern about the referral.
    """

    referral_id: ReferralId
    subject_id: UUID | None = None
    publisher: Slug | None = None
    before: Annotated[int, validate.Range(min=1)] | None = None
    limit: Annotated[int, validate.Range(min=1, max=200)] = 50


class EventFact(Shape):
    """A code, amount or date that an event carries."""

    name: Slug
    value: Annotated[str, validate.Length(max=200)]


class EventSeen(Shape):
    """`position` orders what the console has heard, and is the `before` of the next page."""

    position: Annotated[int, validate.Range(min=1)]
    event: str
    publisher: Slug
    happened_at: datetime
    account_id: AccountId | None = None
    facts: tuple[EventFact, ...] = ()


class AssignReferral(Command, needs=Permission.ASSIGN_WORK):
    """Makes a referral somebody's work, or nobody's. `seen` is the one whose work it was thought to be."""

    referral_id: ReferralId
    account_id: AccountId | None = None
    instead_of: AccountId | None = None


class Assignment(Shape):
    referral_id: ReferralId
    account_id: AccountId | None = None


class RebuildReadModel(Command, needs=Permission.REBUILD_LISTS):
    """Makes what is listed anew, from the archive of events: the next `limit` referrals after `after`."""

    after: ReferralId | None = None
    limit: Annotated[int, validate.Range(min=1, max=2_000)] = 500


class Rebuilt(Shape):
    """`after` is where to go on; None when all are done."""

    referrals: Count
    events: Annotated[int, validate.Range(min=0)]
    after: ReferralId | None = None


class CountWork(Query, needs=Permission.MOVE_WORK):
    """How many referrals that aren't over is everybody assigned, or this one person? Whoever has most comes first."""

    account_id: AccountId | None = None
    limit: Annotated[int, validate.Range(min=1, max=500)] = 200


class WorkOf(Shape):
    account_id: AccountId
    referrals: Count


class MoveWork(Command, needs=Permission.MOVE_WORK):
    """Makes somebody's work a colleague's, or nobody's: the next `limit` of their referrals that aren't over."""

    account_id: AccountId
    to: AccountId | None = None
    limit: Annotated[int, validate.Range(min=1, max=200)] = 50


class WorkMoved(Shape):
    """`left` is what is still to be moved."""

    moved: Count
    left: Count


class ListNewToMe(Query, needs=Permission.SEE_REFERRALS):
    """What did somebody else make the work of whoever asks, who hasn't opened it since? The newest first."""

    limit: Annotated[int, validate.Range(min=1, max=200)] = 100


class HandedOver(Shape):
    referral_id: ReferralId
    handed_over_at: datetime
    state: Slug


class NewToMe(Shape):
    """`total` counts all, and `items` are the newest of them."""

    total: Count
    items: tuple[HandedOver, ...] = ()


class NoteOpened(Command, needs=Permission.SEE_REFERRALS):
    """Whoever gives this has opened the referral, so that it isn't new to them any more."""

    referral_id: ReferralId


class Opened(Shape):
    referral_id: ReferralId
    opened_at: datetime
