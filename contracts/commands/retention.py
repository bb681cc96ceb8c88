"""How long what is held about somebody is kept: `intake.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from marshmallow import validate

from contracts.commands.intake import StaffName
from contracts.commands.privacy import Reference
from contracts.shape import Shape
from contracts.vocabulary import ReferralId, Slug


class StopKind(StrEnum):
    """What keeps somebody from being erased although their time has come."""

    LEGAL_HOLD = "legal_hold"
    THERAPY_IN_PROGRESS = "therapy_in_progress"
    CONCERN_OPEN = "concern_open"


class GetRetention(Shape):
    """Until when is kept what is held about whoever asked for help under this reference, and why?"""

    reference: Reference


class ListDue(Shape):
    """Who is erased by then, the first first, also those of whom something has stopped it?"""

    before: datetime
    limit: Annotated[int, validate.Range(min=1, max=1_000)] = 1_000


class ApplyRetention(Shape):
    """Reckon every date anew, because the policy has changed. It goes on record."""

    applied_by: StaffName


class Reckoning(Shape):
    """How many referrals are looked at again, by which policy; those whose time has come are erased."""

    referrals: int
    policy_version: int


class ListApplied(Shape):
    """When was every date reckoned anew, the oldest first?"""


class Applied(Shape):
    """Who had every date reckoned anew and when. `what`: by which version of the policy, of how many referrals."""

    applied_at: datetime
    applied_by: str
    what: str


class RetentionStop(Shape):
    """What stops it, and under which of the person's references."""

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
