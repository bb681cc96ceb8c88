"""Commands about requests that may be one person's: `intake.<command>` by nameko RPC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from marshmallow import validate

from contracts.command import Command, Query
from contracts.commands.intake import ReferralCommand, Sealed
from contracts.permissions import Permission
from contracts.shape import Shape
from contracts.vocabulary import ApartReason, Count, MarkKind, MergeReason, ReferralId, UnmergeReason


class ListDuplicates(Query, needs=Permission.MERGE_REQUESTS):
    """Which requests may be the same person's same request? Of one referral, or the newest of all."""

    referral_id: ReferralId | None = None
    limit: Annotated[int, validate.Range(min=1, max=1_000)] = 100


class PossibleDuplicate(Shape):
    """Two requests, the later first, and what they have in common."""

    referral_id: ReferralId
    reference: str
    state: str
    other_referral_id: ReferralId
    other_reference: str
    other_state: str
    alike: tuple[MarkKind, ...]
    found_at: datetime


class CountDuplicates(Query, needs=Permission.MERGE_REQUESTS):
    """How many pairs of requests may be the same person's same request?"""


class DuplicatesCount(Shape):
    pairs: Count


class Merge(ReferralCommand, needs=Permission.MERGE_REQUESTS):
    """A person has found a referral to be the same as another, which goes on in its place."""

    into_referral_id: ReferralId
    reason: MergeReason
    note: Sealed | None = None


class TellApart(Command, needs=Permission.MERGE_REQUESTS):
    """A person has found that two requests are not the same: they are never suggested to be again."""

    referral_id: ReferralId
    other_referral_id: ReferralId
    reason: ApartReason


class Unmerge(ReferralCommand, needs=Permission.MERGE_REQUESTS):
    """A person has found that a merged referral is another after all."""

    reason: UnmergeReason
    note: Sealed | None = None
