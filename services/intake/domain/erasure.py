"""Erasing a person, and what may stand in its way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.commands.privacy import ErasureReason, HoldReason, LiftReason
from contracts.vocabulary import ReferralId

HOLDERS = ("matching", "billing", "notifications", "evaluation", "console")
"""The services that hold something for a referral, each of which confirms that it has forgotten."""


@dataclass(eq=False, kw_only=True)
class Erasure:
    """That a person was erased: all that is left of them."""

    referral_id: ReferralId
    erased_at: datetime
    erased_by: str
    reason: ErasureReason
    overdue_since: datetime | None = None


@dataclass(eq=False, kw_only=True)
class LegalHold:
    """A legal hold, which stops every erasure until it is lifted."""

    id: UUID
    referral_id: ReferralId
    reason: HoldReason
    placed_by: str
    placed_at: datetime
    lift_reason: LiftReason | None = None
    lifted_by: str | None = None
    lifted_at: datetime | None = None

    @property
    def is_in_force(self) -> bool:
        return self.lifted_at is None

    def lift(self, *, reason: LiftReason, by: str, at: datetime) -> None:
        self.lift_reason, self.lifted_by, self.lifted_at = reason, by, at


def still_to_confirm(confirmed: Iterable[str]) -> tuple[str, ...]:
    """The services that have not confirmed an erasure yet."""
    done = set(confirmed)
    return tuple(service for service in HOLDERS if service not in done)
