"""How long what is held about somebody is kept: `intake.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from marshmallow import validate

from contracts.command import Command, Query
from contracts.commands.privacy import Reference
from contracts.permissions import Permission
from contracts.shape import Shape
from contracts.vocabulary import ReferralId, Slug


class StopKind(StrEnum):
    """What prevents an erasure although its date has come."""

    LEGAL_HOLD = "legal_hold"
    THERAPY_IN_PROGRESS = "therapy_in_progress"
    CONCERN_OPEN = "concern_open"


class GetRetention(Query, needs=Permission.SEE_RETENTION):
    """Until when is the data kept of the person who asked for help under this reference, and why?"""

    reference: Reference


class ListDue(Query, needs=Permission.SEE_RETENTION):
    """Whose data is due for erasure before this time, the earliest first? Includes those that something prevents."""

    before: datetime
    limit: Annotated[int, validate.Range(min=1, max=1_000)] = 1_000


class ApplyRetention(Command, needs=Permission.APPLY_RETENTION):
    """Compute every date again, because the policy has changed. Recorded in the audit log."""


class Reckoning(Shape):
    """How many referrals' dates are computed again, and by which policy; those that are due are erased."""

    referrals: int
    policy_version: int


class ListApplied(Query, needs=Permission.SEE_RETENTION):
    """When was every date computed again, the oldest first?"""


class Applied(Shape):
    """Who had every date computed again and when. `what`: by which version of the policy, for how many referrals."""

    applied_at: datetime
    applied_by: str
    what: str


class RetentionStop(Shape):
    """What prevents the erasure, and under which of the person's references."""

    kind: StopKind
    reference: str


class RetentionView(Shape):
    """Until when somebody's data is kept, and by which term of which version of the policy.

    `goes_with` are the person's other references: what they asked before or twice is kept and erased together.
    """

    referral_id: ReferralId
    reference: str
    state: Slug
    outcome: Slug
    term: str
    why: str
    policy_version: int
    counted_from: datetime
    due_at: datetime
    goes_with: tuple[str, ...] = ()
    stopped_by: tuple[RetentionStop, ...] = ()
