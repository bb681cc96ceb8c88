"""In which work queue a referral or a concern is: it follows from where it stands, and from nothing else.

The queues are those of the main job, in its order: a request is taken up, assessed, sought for, offered, and begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.commands.console import WorkQueue
from services.console.domain.referral import BEGUN_WITHIN, Concern, Referral

QUEUE_OF_STATE = {
    "received": WorkQueue.NEW_REQUESTS,
    "in_review": WorkQueue.SPAM_REVIEW,
    "awaiting_assessment": WorkQueue.ASSESSMENTS,
    "on_hold": WorkQueue.PAUSED,
    "assessed": WorkQueue.WAITING,
    "matching": WorkQueue.WAITING,
    "offered": WorkQueue.OFFERS,
    "matched": WorkQueue.FIRST_SESSIONS,
}
"""By intake's states (`services/intake/domain/states.py`); whatever is in another is in no queue."""

OVER = frozenset({"withdrawn", "signposted", "discarded", "closed", "re_referred", "erased"})
"""Intake's states in which nobody has anything to do any more."""


@dataclass(frozen=True)
class Place:
    """A queue, since when something is in it, and by when somebody should act; None if there is no such date."""

    queue: WorkQueue
    since: datetime
    due_at: datetime | None
    reason: str | None = None


@dataclass(eq=False, kw_only=True)
class QueueLength:
    """How much is in a queue; `version` changes with anything in it."""

    queue: WorkQueue
    total: int = 0
    version: int = 0

    def add(self, more: int) -> None:
        self.total += more
        self.version += 1


def place_of(referral: Referral) -> Place | None:
    """None for what is in no queue, or is not known well enough yet."""
    queue = QUEUE_OF_STATE.get(referral.state or "")
    if queue is None or referral.state_since is None:
        return None
    if queue is WorkQueue.FIRST_SESSIONS and (
        referral.match_id is None or referral.unrecorded_match != referral.match_id
    ):
        return None  # there is time for it yet
    due = {
        WorkQueue.NEW_REQUESTS: referral.assess_by,
        WorkQueue.SPAM_REVIEW: referral.assess_by,
        WorkQueue.ASSESSMENTS: referral.assess_by,
        WorkQueue.OFFERS: referral.offer_expires_at,
        WorkQueue.FIRST_SESSIONS: (referral.matched_at or referral.state_since) + BEGUN_WITHIN,
    }
    reason = referral.stalled_for if queue is WorkQueue.WAITING else referral.reason
    return Place(queue, referral.state_since, due.get(queue), reason)


def place_of_concern(concern: Concern) -> Place | None:
    """A concern waits until its outcome is recorded, and from the beginning."""
    if concern.raised_at is None or concern.outcome is not None:
        return None
    due_at = None if concern.acknowledged_at else concern.raised_at
    return Place(WorkQueue.CONCERNS, concern.raised_at, due_at, concern.step)
